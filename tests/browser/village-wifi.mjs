// The village's Wi-Fi between a phone and the node: a door of its own that can be shut, and that loses an answer
// after the node has given it. The phone sees one address throughout, as it does in life.
import { createServer, request } from "node:http";

export class Wifi {
  /// Opens a door in front of a node.
  static async before(node) {
    const made = new Wifi();
    Object.assign(made, { node, lose: () => false, lost: 0, passed: [] });
    await made.#listen(0);
    made.port = made.server.address().port;
    made.pages = `http://127.0.0.1:${made.port}`;
    return made;
  }

  #listen(port) {
    this.server = createServer((asked, answer) => this.#pass(asked, answer));
    this.server.keepAliveTimeout = 500;
    return new Promise((done, failed) => this.server.once("error", failed).listen(port, "127.0.0.1", done));
  }

  #pass(asked, answer) {
    const to = new URL(this.node.pages);
    const sent = request({ host: to.hostname, port: to.port, method: asked.method, path: asked.url, headers: asked.headers }, (given) => {
      this.passed.push(`${asked.method} ${asked.url} ${given.statusCode}`);
      if (this.lose(asked, given)) {
        // The node has done it and said so; nobody hears the end of it. (Broken off before the first byte, a browser
        // asks once more by itself.)
        answer.writeHead(given.statusCode, given.headers);
        answer.flushHeaders();
        given.resume().on("end", () => setTimeout(() => {
          answer.destroy();
          this.lost += 1;
        }, 50));
        return;
      }
      if (this.amend && /html|javascript/.test(given.headers["content-type"] ?? "")) {
        const { "content-length": _, ...headers } = given.headers;
        let text = "";
        given.setEncoding("utf8").on("data", (part) => (text += part));
        given.on("end", () => answer.writeHead(given.statusCode, headers).end(this.amend(asked.url, text)));
        return;
      }
      answer.writeHead(given.statusCode, given.headers);
      given.pipe(answer);
    });
    sent.on("error", () => answer.destroy());
    answer.on("close", () => sent.destroy());
    asked.pipe(sent);
  }

  /// Out of reach.
  async away() {
    const closed = new Promise((done) => this.server.close(done));
    this.server.closeAllConnections();
    await closed;
  }

  /// Back.
  back() {
    return this.#listen(this.port);
  }
}
