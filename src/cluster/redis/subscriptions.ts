/** What is given to a listener: the message and the channel it came on, as they came. */
export type Listener = (message: Buffer, channel: Buffer) => void;

export type Kind = "channel" | "pattern";

/** Told of a message that its listener could not take. `channel`: where it came; `error`: what the listener threw. */
export type RubbishListener = (channel: string, error: unknown) => void;

/** Who listens to what. Outlives every connection: each new one is subscribed to all that stands here. */
export class Subscriptions {
  readonly #listeners: Record<Kind, Map<string, Set<Listener>>> = { channel: new Map(), pattern: new Map() };
  readonly #rubbishListeners: RubbishListener[] = [];

  add(kind: Kind, name: string, listener: Listener): void {
    const listeners = this.#listeners[kind].get(name) ?? new Set();
    this.#listeners[kind].set(name, listeners.add(listener));
  }

  /** A name without listeners is left to the connection that has it; the next one is not subscribed to it any more. */
  remove(kind: Kind, name: string, listener: Listener | undefined): void {
    const listeners = this.#listeners[kind].get(name);
    if (listeners === undefined) return;
    if (listener !== undefined) listeners.delete(listener);
    if (listener === undefined || listeners.size === 0) this.#listeners[kind].delete(name);
  }

  names(kind: Kind): string[] {
    return [...this.#listeners[kind].keys()];
  }

  /** Gives a message to those who listen to the name. Throws nothing: the client would take it for a fault of the stream of bytes. */
  deliver(kind: Kind, name: string, message: Buffer, channel: Buffer): void {
    for (const listener of this.#listeners[kind].get(name) ?? []) {
      try {
        listener(message, channel);
      } catch (error) {
        this.rubbish(channel.toString(), error);
      }
    }
  }

  onRubbish(listener: RubbishListener): void {
    this.#rubbishListeners.push(listener);
  }

  rubbish(channel: string, error: unknown): void {
    for (const listener of this.#rubbishListeners) listener(channel, error);
  }
}
