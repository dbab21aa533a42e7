import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** When the connection is cut: before the request reaches the server, or after the server's answer, which then does not reach the client. */
export type Cut = "before" | "after";

/** A TCP proxy in front of a server, which cuts a connection once at a chosen request. */
export class CuttingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #armed: { cut: Cut; words: string[]; done: () => void } | null = null;

  private constructor(target: number) {
    this.#server = createServer((client) => this.#serve(client, target));
  }

  static async start(target: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts at the next request that contains all the words. Resolves when it has. */
  cutOnce(cut: Cut, ...words: string[]): Promise<void> {
    return new Promise((done) => {
      this.#armed = { cut, words, done };
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(client: Socket, target: number): void {
    const server = connect(target, "127.0.0.1");
    let cutAtAnswer: (() => void) | null = null;
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        end();
      });
    }
    client.on("data", (data) => {
      const armed = this.#armed;
      // Requests of a driver are written whole, so one is found in one piece.
      if (armed?.words.every((word) => data.includes(word))) {
        this.#armed = null;
        if (armed.cut === "before") {
          end();
          armed.done();
          return;
        }
        cutAtAnswer = armed.done;
      }
      server.write(data);
    });
    server.on("data", (data) => {
      if (cutAtAnswer === null) {
        client.write(data);
        return;
      }
      end();
      cutAtAnswer();
    });
  }
}
