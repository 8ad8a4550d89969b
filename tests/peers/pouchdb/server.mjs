// `node server.mjs DIR`: a PouchDB on disk behind express-pouchdb. Tells its port in one line of JSON and lives
// until its input closes.

import express from "express";
import expressPouchDB from "express-pouchdb";
import PouchDB from "pouchdb";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const [dir] = process.argv.slice(2);
mkdirSync(dir, { recursive: true });
const Kept = PouchDB.defaults({ prefix: join(dir, "/") });
const app = express();
app.use("/", expressPouchDB(Kept, { inMemoryConfig: true, logPath: join(dir, "log.txt"), mode: "minimumForPouchDB" }));
const server = app.listen(0, "127.0.0.1", () => {
  process.stdout.write(JSON.stringify({ port: server.address().port }) + "\n");
});
process.stdin.on("end", () => process.exit(0)).resume();
