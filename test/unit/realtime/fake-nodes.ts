import type { Nodes } from "../../../src/realtime/nodes.js";

type Listener = (data: unknown) => void;
type RequestListener = (message: Buffer, channel: Buffer) => void;

/** Another node as the sockets of this one know it: what it is told is kept, and what it says is said by the test. */
export class FakeNodes implements Nodes {
  isUp = true;
  /** What this node has told the nodes of a member. */
  readonly told: Array<{ user: string; kind: string; data: unknown }> = [];
  /** What this node has told the same namespace of all nodes: namespace, event, argument. */
  readonly emitted: Array<[namespace: string, event: string, data: unknown]> = [];
  /** Every command that was given to Redis. */
  readonly commands: string[] = [];
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #doubtListeners = new Set<(since: number) => void>();
  readonly #stateListeners = new Set<(isUp: boolean) => void>();
  readonly #requests = new Map<string, RequestListener>();

  tellNodesOf(user: string, kind: string, data: unknown): void {
    this.told.push({ user, kind, data });
  }

  on(kind: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  onDoubt(listener: (since: number) => void): () => void {
    this.#doubtListeners.add(listener);
    return () => this.#doubtListeners.delete(listener);
  }

  onState(listener: (isUp: boolean) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  /** How often something could not be understood. */
  rubbishHeard = 0;

  rubbish(): void {
    this.rubbishHeard++;
  }

  adapter(): { pub: unknown; sub: unknown; key: string } {
    const command = (name: string) => async (channels: string | string[], listener?: RequestListener) => {
      this.commands.push(name);
      if (name === "subscribe" && listener !== undefined) for (const channel of [channels].flat()) this.#requests.set(channel, listener);
    };
    const client = {
      publish: async (channel: string, message: string) => {
        this.commands.push("publish");
        const { data } = JSON.parse(message) as { data: [string, unknown] };
        this.emitted.push([channel.split("#")[1] as string, ...data]);
      },
      subscribe: command("subscribe"),
      unsubscribe: command("unsubscribe"),
      pSubscribe: command("pSubscribe"),
      pUnsubscribe: command("pUnsubscribe"),
      on: () => {},
      off: () => {},
      listenerCount: () => 0,
    };
    return { pub: client, sub: client, key: "key" };
  }

  /** The other node says something to this one. Throws what a listener throws. */
  say(kind: string, data: unknown): void {
    for (const listener of this.#listeners.get(kind) ?? []) listener(data);
  }

  /** The other node says something to the namespace of all nodes. */
  emit(namespace: string, event: string, data: unknown): void {
    const channel = `key-request#${namespace}#`;
    const request = JSON.stringify({ uid: "another", type: 6, data: [event, data] });
    this.#requests.get(channel)?.(Buffer.from(request), Buffer.from(channel));
  }

  doubt(since: number): void {
    for (const listener of this.#doubtListeners) listener(since);
  }

  become(isUp: boolean): void {
    this.isUp = isUp;
    for (const listener of this.#stateListeners) listener(isUp);
  }

  /** How many still listen, to whatever. */
  get listeners(): number {
    let count = this.#doubtListeners.size + this.#stateListeners.size;
    for (const listeners of this.#listeners.values()) count += listeners.size;
    return count;
  }
}
