// `node client.mjs DIR FILE PORT`: puts the documents of FILE, a line of JSON each, into a PouchDB on disk, then does as
// it is told on standard input, as tests/peers/samod does: `initial`, `unchanged`, `changed N`. Replication goes through
// a line of its own that counts what passes over the socket.
//
// One revision of each document, no history and no signatures: PouchDB carries less than the others.

import PouchDB from "pouchdb";
import { createReadStream, mkdirSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

const BATCH = 1000;
const [dir, file, port] = process.argv.slice(2);
mkdirSync(dir, { recursive: true });

let bytes = 0;
const line = createServer((near) => {
  const far = connect(Number(port), "127.0.0.1");
  near.setNoDelay(true);
  far.setNoDelay(true);
  for (const [from, to] of [[near, far], [far, near]]) {
    from.on("data", (part) => {
      bytes += part.length;
      to.write(part);
    });
    from.on("end", () => to.end());
    from.on("error", () => to.destroy());
  }
});
await new Promise((ready) => line.listen(0, "127.0.0.1", ready));

const tell = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const kept = new PouchDB(join(dir, "matters"));
let waiting = [];
let count = 0;
for await (const text of createInterface({ input: createReadStream(file) })) {
  waiting.push({ _id: `m${String(count++).padStart(8, "0")}`, ...JSON.parse(text) });
  if (waiting.length === BATCH) await put();
}
await put();
tell({ ready: true });

async function put() {
  const answers = await kept.bulkDocs(waiting);
  const wrong = answers.find((a) => a.error);
  if (wrong) throw new Error(`a document was refused: ${JSON.stringify(wrong)}`);
  waiting = [];
}

for await (const words of createInterface({ input: process.stdin })) {
  const [step, n] = words.split(" ");
  if (step === "changed") {
    const { rows } = await kept.allDocs({ include_docs: true, limit: Number(n) });
    waiting = rows.map(({ doc }) => ({ ...doc, remark: `又去看过一次，还是老样子（${doc._id}）` }));
    await put();
  } else if (step !== "initial" && step !== "unchanged") {
    throw new Error(`“${words}” is no step`);
  }
  bytes = 0;
  const began = process.hrtime.bigint();
  const there = new PouchDB(`http://127.0.0.1:${line.address().port}/matters`);
  const done = await kept.replicate.to(there, { batch_size: BATCH });
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  if (!done.ok || done.doc_write_failures > 0) throw new Error(JSON.stringify(done));
  tell({ seconds, bytes, written: done.docs_written });
}
process.exit(0);
