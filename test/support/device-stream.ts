import type { Cursor, Entry } from "./member.js";

/**
 * One stream as a device follows it, by the client rule of docs/PROTOCOL.md: applies seq = cursor + 1, drops what it has, holds what comes
 * early. It imports nothing of `src`.
 */
export class FollowedStream {
  cursor: Cursor | null = null;
  /** Entries applied, by seq; what a snapshot skipped is not among them. */
  readonly applied = new Map<number, Entry>();
  readonly #held = new Map<number, Entry>();
  readonly #apply: (entry: Entry) => void;
  /** The seq that this connection must push next; null until it has been told from where it goes on. */
  #next: number | null = null;

  constructor(apply: (entry: Entry) => void) {
    this.#apply = apply;
  }

  get seq(): number {
    return this.cursor?.seq ?? 0;
  }

  /** Whether it holds what came early. */
  get isWaiting(): boolean {
    return this.#held.size > 0;
  }

  disconnected(): void {
    this.#held.clear();
    this.#next = null;
  }

  /** The connection goes on after `from`. */
  resumed(epoch: string, from: number): void {
    this.cursor ??= { epoch, seq: from };
    this.#next = from + 1;
  }

  replaced(epoch: string, seq: number): void {
    this.cursor = { epoch, seq };
    this.#next = seq + 1;
    this.#held.clear();
    this.applied.clear();
  }

  /**
   * What a connection pushes comes once and in order. The rule would forgive it if it did not; this tells what is wrong, or null.
   */
  faultIn(entries: Entry[]): string | null {
    let fault: string | null = null;
    for (const { seq } of entries) {
      if (this.#next !== null && seq !== this.#next) fault = `${seq} was pushed where ${this.#next} was next`;
      this.#next = seq + 1;
    }
    return fault;
  }

  /** Takes entries, pushed or asked for. Returns whether some are missing now. */
  take(epoch: string, entries: Entry[]): boolean {
    const { cursor } = this;
    if (cursor === null || cursor.epoch !== epoch) return false;
    for (const entry of entries) this.#held.set(entry.seq, entry);
    for (let entry = this.#held.get(cursor.seq + 1); entry !== undefined; entry = this.#held.get(cursor.seq + 1)) {
      this.#apply(entry);
      this.applied.set(entry.seq, entry);
      cursor.seq = entry.seq;
    }
    for (const seq of this.#held.keys()) if (seq <= cursor.seq) this.#held.delete(seq);
    return this.#held.size > 0;
  }
}
