// A real federation for the browser: yishi-node processes for a district, a township and two villages, each
// with its own folder, keys and ports, made as an operator would (init, invite, join, run). Nothing is
// stubbed. Every process is stopped by its own id at the end, whatever happened.
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { createServer } from "node:net";
import { createSocket } from "node:dgram";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const top = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/// A loaded machine is slow: how long anything may take before it counts as not happening.
export const PATIENCE_MS = 60_000;
export const PASSWORD = "一二三四五六七八";

const PLACES = {
  district: { code: "510113000000", name: "青白江区", above: null },
  township: { code: "510113106000", name: "姚渡镇", above: "district" },
  village: { code: "510113106204", name: "芦稿村", above: "township" },
  neighbour: { code: "510113106202", name: "光明村", above: "township" },
};

/// Who signs in where, with which roles.
export const PEOPLE = {
  clerk: { at: "village", name: "li", shown: "李秀英", roles: ["clerk"] },
  collector: { at: "village", name: "chen", shown: "陈跑腿", roles: ["collector"] },
  neighbour: { at: "neighbour", name: "zhou", shown: "周文书", roles: ["clerk"] },
  handler: { at: "township", name: "zhao", shown: "赵经办", roles: ["unit_handler"] },
  administrator: { at: "township", name: "sun", shown: "孙管理", roles: ["administrator"] },
  official: { at: "district", name: "qian", shown: "钱主任", roles: ["administrator"] },
};

function program(name) {
  const path = join(process.env.YISHI_PROGRAMS ?? join(top, "target/debug"), name);
  if (!existsSync(path)) {
    throw new Error(`${path} is not there. Build it first: cargo build --locked -p yishi-node -p yishi-admin`);
  }
  return path;
}

async function freePorts() {
  const tcp = await new Promise((done, failed) => {
    const server = createServer().once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
  const udp = await new Promise((done, failed) => {
    const socket = createSocket("udp4").once("error", failed);
    socket.bind(0, "127.0.0.1", () => {
      const { port } = socket.address();
      socket.close(() => done(port));
    });
  });
  return { tcp, udp };
}

/// Waits until `what` gives something, or says what was waited for.
export async function until(words, what) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const given = await what();
    if (given) return given;
    if (Date.now() > end) throw new Error(`waited in vain for: ${words}`);
    await pause(150);
  }
}

class Node {
  constructor(dir, place) {
    Object.assign(this, place, { dir: join(dir, place.code) });
  }

  get socket() {
    return join(this.dir, "api.sock");
  }

  async start() {
    const { tcp, udp } = await freePorts();
    this.pages = `http://127.0.0.1:${tcp}`;
    this.link = `127.0.0.1:${udp}`;
    writeFileSync(
      join(this.dir, "node.toml"),
      `data_dir = ${JSON.stringify(this.dir)}\n[link]\nlisten = "${this.link}"\nretry_max_ms = 1000\n` +
        `[http]\nlisten = "127.0.0.1:${tcp}"\ntls_listen = "127.0.0.1:0"\nnames = ["192.168.8.1"]\nopen_board = true\n`,
    );
    const log = openSync(join(this.dir, "node.log"), "w");
    this.process = spawn(program("yishi-node"), ["run", "--dir", this.dir], { stdio: ["ignore", log, log] });
    closeSync(log);
    await until(`${this.name} to answer`, async () => {
      if (this.process.exitCode !== null) {
        throw new Error(`${this.name} ended: ${readFileSync(join(this.dir, "node.log"), "utf8")}`);
      }
      return this.call("GET", "/node").catch(() => null);
    });
  }

  /// What an operator types on this machine.
  async yishi(...words) {
    const { stdout } = await run(program("yishi"), ["--node", this.socket, "--json", ...words]);
    return JSON.parse(stdout);
  }

  /// The API over the machine's own socket.
  call(method, path, body) {
    return new Promise((done, failed) => {
      const sent = request(
        { socketPath: this.socket, method, path: `/api/v1${path}`, headers: { "content-type": "application/json" } },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8").on("data", (part) => (text += part));
          answer.on("end", () => {
            if (answer.statusCode < 300) done(text ? JSON.parse(text) : {});
            else failed(new Error(`${this.name} ${method} ${path}: ${answer.statusCode} ${text}`));
          });
        },
      );
      sent.on("error", failed);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  async stop() {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((done) => child.once("exit", done));
    child.kill("SIGTERM");
    const patience = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(patience);
  }
}

export class Federation {
  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), "yishi-b"));
    this.nodes = {};
    // Should the tests be broken off, no process stays behind.
    this.killed = () => Object.values(this.nodes).forEach((n) => n.process?.kill("SIGKILL"));
    process.once("exit", this.killed);
    for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143]]) process.once(signal, () => process.exit(status));
  }

  static async start() {
    const made = new Federation();
    try {
      for (const [id, place] of Object.entries(PLACES)) await made.#join(id, place);
      for (const person of Object.values(PEOPLE)) await made.#sit(person);
      return made;
    } catch (e) {
      await made.stop();
      throw e;
    }
  }

  async #join(id, place) {
    // Known from the start, so that it is stopped even if it never answers.
    const node = (this.nodes[id] = new Node(this.dir, place));
    const make = program("yishi-node");
    if (place.above === null) {
      await run(make, ["init", "--code", place.code, "--name", place.name, "--level", "district", "--dir", node.dir]);
    } else {
      const above = this.nodes[place.above];
      const invite = await above.yishi("place", "invite", place.code, "--name", place.name, "--level",
        place.above === "district" ? "township" : "village", "--address", above.link);
      await run(make, ["join", invite.token, "--dir", node.dir]);
    }
    await node.start();
  }

  async #sit({ at, name, shown, roles }) {
    const file = join(this.dir, "password");
    writeFileSync(file, PASSWORD, { mode: 0o600 });
    const node = this.nodes[at];
    await node.yishi("user", "add", name, "--display-name", shown, "--password-file", file, "--role", roles.join(","));
    rmSync(file);
  }

  async stop() {
    await Promise.all(Object.values(this.nodes).map((n) => n.stop()));
    process.removeListener("exit", this.killed);
    rmSync(this.dir, { recursive: true, force: true });
  }
}
