import { describe, expect, it } from "@jest/globals";
import { boardsOf } from "../../../client/sdk/src/boards.js";
import type { Belfry, BoardValue, Session } from "../../../client/sdk/src/index.js";

type Auth = (give: (auth: { token: string }) => void) => void;

/** The socket of `/live` that a connection has: one, as of socket.io-client, whoever asks for it and however often. */
class LiveSocket {
  connected = false;
  /** Tokens that the service was given, by handshakes and by `refresh`. */
  readonly tokens: string[] = [];
  readonly #listeners = new Map<string, Array<(payload?: unknown) => void>>();
  #auth: Auth | { token: string } | null = null;

  /** What `manager.socket("/live", { auth })` does: later options change nothing. */
  readonly open = (_name: string, { auth }: { auth: Auth | { token: string } }): this => {
    this.#auth ??= auth;
    if (this.connected) return this;
    if (typeof this.#auth === "function") this.#auth(({ token }) => this.tokens.push(token));
    else this.tokens.push(this.#auth.token);
    this.connected = true;
    queueMicrotask(() => this.say("connect"));
    return this;
  };

  say(event: string, payload?: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) listener(payload);
  }
  on(event: string, listener: (payload?: unknown) => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }
  removeAllListeners(): void {
    this.#listeners.clear();
  }
  disconnect(): void {
    this.connected = false;
  }
  emit(event: string, payload: { token: string }): void {
    if (event === "refresh") this.tokens.push(payload.token);
  }
  timeout() {
    return {
      emitWithAck: async (_event: string, { topics }: { topics: readonly string[] }) => ({
        ok: true,
        topics: Object.fromEntries(topics.map((topic) => [topic, { seq: 1, at: "", data: "latest" }])),
      }),
    };
  }
}

/** A store with one connection; `renew` is the session of before with a newer token. */
function connected() {
  const live = new LiveSocket();
  const listeners = new Set<(session: Session | null) => void>();
  let session = { socket: { io: { socket: live.open } }, token: "first", isRenewed: false } as unknown as Session;
  const belfry = {
    onSession(listener: (session: Session | null) => void) {
      listener(session);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as Belfry;
  const renew = (token: string): void => {
    session = { ...session, token, isRenewed: true };
    for (const tell of listeners) tell(session);
  };
  return { live, belfry, renew };
}

/** What comes of what was asked. */
const calm = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe("live boards", () => {
  it("are followed where the first to join comes after the token was renewed", async () => {
    const { live, belfry, renew } = connected();
    renew("second");
    const values: unknown[] = [];
    boardsOf(belfry).join(["scores"], ({ data }) => values.push(data));
    await calm();
    expect(values).toEqual(["latest"]);
    renew("third");
    expect(live.tokens).toEqual(["second", "third"]);
  });

  it("reach all who follow them, however they came by them, until each has left", async () => {
    const { live, belfry } = connected();
    const [first, second]: [BoardValue[], BoardValue[]] = [[], []];
    const leave = boardsOf(belfry).join(["scores"], (value) => first.push(value));
    await calm();
    boardsOf(belfry).join(["scores"], (value) => second.push(value));
    await calm();
    expect([first.length, second.length]).toEqual([1, 1]);
    leave();
    live.say("update", { topic: "scores", seq: 2, at: "", data: "newer" });
    expect([first.length, second.length]).toEqual([1, 2]);
  });

  it("are followed again with the newest token by whoever comes back", async () => {
    const { live, belfry, renew } = connected();
    boardsOf(belfry).join(["scores"], () => {})();
    await calm();
    renew("second");
    const values: unknown[] = [];
    boardsOf(belfry).join(["scores"], ({ data }) => values.push(data));
    await calm();
    expect(live.tokens).toEqual(["first", "second"]);
    expect(values).toEqual(["latest"]);
  });
});
