import { io, type Socket } from "socket.io-client";
import { until } from "./member.js";
import type { Service } from "./service.js";

/** What asking with an acknowledgement is answered. */
export type Reply = Record<string, unknown> & { ok: boolean; error?: { code: string; message: string; retryAfterMs?: number } };

/** A connection to one of the service's namespaces that keeps all it hears, in order. It imports nothing of `src`. */
export class Channel {
  readonly heard: Array<{ event: string; payload: Record<string, unknown> }> = [];
  readonly refusals: Array<{ code: string; message: string; retry: boolean }> = [];
  readonly socket: Socket;

  constructor(service: Pick<Service, "url">, namespace: string, auth: object) {
    this.socket = io(`${service.url}${namespace}`, { forceNew: true, transports: ["websocket"], reconnectionDelay: 50, auth });
    this.socket.onAny((event, payload) => this.heard.push({ event, payload }));
    this.socket.on("connect_error", (error) => {
      const { data } = error as Error & { data?: Channel["refusals"][number] };
      if (data !== undefined) this.refusals.push(data);
    });
  }

  /** The payloads of all events of that name so far. */
  of(event: string): Array<Record<string, unknown>> {
    return this.heard.filter((one) => one.event === event).map(({ payload }) => payload);
  }

  /** Whether the server has said farewell, the connection has ended, and the client will not come back by itself. */
  get isDismissed(): boolean {
    return this.of("goodbye").length > 0 && !this.socket.connected && !this.socket.active;
  }

  /** Resolves when the connection is there or is refused. */
  async settled(): Promise<this> {
    await until("the connection is answered", () => this.socket.connected || this.refusals.length > 0);
    return this;
  }

  ask(event: string, payload?: unknown): Promise<Reply> {
    return this.socket.timeout(10_000).emitWithAck(event, payload);
  }

  leave(): void {
    this.socket.disconnect();
  }
}
