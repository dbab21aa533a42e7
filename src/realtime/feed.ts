import { BelfryError } from "../errors.js";
import { firstPage } from "../inbox/index.js";
import type { Cursor, StoredEntry, StreamReader, Tail } from "../stream/index.js";
import { PAGE_ENTRIES } from "./limits.js";
import type { MemberStream } from "./member-streams.js";
import type { Outlet } from "./outlet.js";

/** How a stream is taken up in `welcome`. */
export interface Opening {
  epoch: string;
  base: number;
  head: number;
  unread: number;
  resume: "exact" | "snapshot" | "reset";
  from: number;
}

/** The way out, as far as a feed needs it. */
export type FeedOutlet = Pick<Outlet, "writeEncoded" | "emit" | "congested" | "ready">;

export interface FeedEvents {
  replayed(): void;
  reset(): void;
  failed(error: unknown): void;
}

/**
 * One stream of one session: brings a client from its cursor to the stream's end and keeps it there.
 *
 *   opening ──start()──► catching up ──nothing left──► live ──hole, congestion──► catching up …
 *
 * `sent` is the last seq given to the client, `target` the highest seq heard of. Hints move `target` and nothing else, unless the feed is
 * live and the entry is the very next: then it goes out as it is. Whatever comes lost, late, doubled or reordered, the next look at the
 * store fills in, so no entry is ever buffered here.
 */
export class Feed {
  readonly source: MemberStream;
  readonly #log: StreamReader;
  readonly #outlet: FeedOutlet;
  readonly #events: FeedEvents;
  #epoch = "";
  #sent = 0;
  #target = 0;
  #unread = 0;
  #state: "opening" | "catching up" | "live" | "closed" = "opening";
  #snapshot: Awaited<ReturnType<MemberStream["snapshot"]>> | null = null;
  #pending: string[] = [];
  #announceSynced = true;

  constructor(source: MemberStream, log: StreamReader, outlet: FeedOutlet, events: FeedEvents) {
    this.source = source;
    this.#log = log;
    this.#outlet = outlet;
    this.#events = events;
  }

  /** Decides how the stream is taken up. The feed must hear of new entries already, else one could fall between this read and `start`. */
  async open(cursor: Cursor | undefined, epoch: string, tail: Tail): Promise<Opening> {
    this.#epoch = epoch;
    const { base, head, unread } = tail;
    if (cursor !== undefined && cursor.epoch === epoch && cursor.seq >= base - 1 && cursor.seq <= head) {
      this.#sent = cursor.seq;
      this.#unread = unread;
      this.#target = Math.max(this.#target, head);
      return { epoch, base, head, unread, resume: "exact", from: cursor.seq };
    }
    const snapshot = await this.source.snapshot();
    this.#snapshot = snapshot;
    if (cursor !== undefined) this.#events.reset();
    const resume = cursor === undefined ? "snapshot" : "reset";
    return { epoch, base, head: snapshot.seq, unread: snapshot.unread, resume, from: snapshot.seq };
  }

  /** Sends what the opening promised, then goes live. */
  start(): void {
    if (this.#state !== "opening") return;
    if (this.#snapshot === null) this.#events.replayed();
    this.#sendSnapshot();
    void this.#catchUp();
  }

  /** An entry was appended; `encoded` is its wire form. Returns whether something is to be flushed. */
  onEntry(seq: number, unread: number, encoded: string): boolean {
    if (seq > this.#target) this.#target = seq;
    if (this.#state !== "live" || seq <= this.#sent) return false;
    if (seq !== this.#sent + 1 || this.#outlet.congested) {
      this.flush();
      void this.#catchUp();
      return false;
    }
    this.#pending.push(encoded);
    this.#sent = seq;
    this.#unread = unread;
    return true;
  }

  /** The store says that the stream goes to `head`. */
  onHead(head: number): void {
    if (head > this.#target) this.#target = head;
    if (this.#state === "live" && head > this.#sent) void this.#catchUp();
  }

  /** Goes on where the store failed. */
  retry(): void {
    if (this.#state === "live" && this.#target > this.#sent) void this.#catchUp();
  }

  /** Sends the live entries of this turn as one packet. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const pending = this.#pending;
    this.#pending = [];
    this.#write(pending);
  }

  close(): void {
    this.#state = "closed";
    this.#pending = [];
  }

  async #catchUp(): Promise<void> {
    this.#state = "catching up";
    try {
      while (this.#isOpen()) {
        await this.#outlet.ready();
        const page = this.#sent >= this.#target ? [] : await this.#log.page(this.source.stream, this.#sent, PAGE_ENTRIES);
        if (!this.#isOpen()) return;
        // Between this test and going live nothing is awaited: no hint can fall between.
        if (page.length === 0) {
          this.#goLive();
          return;
        }
        this.#sendPage(page);
      }
    } catch (error) {
      if (error instanceof BelfryError && error.code === "reset") await this.#startOver();
      else this.#pause(error);
    }
  }

  /** The store did not answer. The next hint, or the next sweep, tries again. */
  #pause(error: unknown): void {
    if (!this.#isOpen()) return;
    this.#state = "live";
    this.#events.failed(error);
  }

  #sendPage(page: StoredEntry[]): void {
    const encoded = firstPage(page.map((entry) => this.source.encode(entry)));
    const last = page[encoded.length - 1] as StoredEntry;
    this.#write(encoded);
    this.#sent = last.seq;
    this.#unread = last.unread;
  }

  #goLive(): void {
    // A page that came back empty means that the target was a hint of something the store does not have.
    this.#target = this.#sent;
    if (this.#announceSynced) {
      this.#announceSynced = false;
      this.#outlet.emit("synced", { stream: this.source.name, epoch: this.#epoch, seq: this.#sent, unread: this.#unread });
    }
    this.#state = "live";
  }

  /** Trimming passed the reader: what is left is shown anew. */
  async #startOver(): Promise<void> {
    if (!this.#isOpen()) return;
    this.#events.reset();
    try {
      this.#snapshot = await this.source.snapshot();
    } catch (error) {
      this.#pause(error);
      return;
    }
    if (!this.#isOpen()) return;
    this.#announceSynced = true;
    this.#sendSnapshot();
    await this.#catchUp();
  }

  #sendSnapshot(): void {
    if (this.#snapshot === null) return;
    const { epoch, seq, unread, items, more } = this.#snapshot;
    this.#snapshot = null;
    this.#epoch = epoch;
    this.#sent = seq;
    this.#unread = unread;
    this.#outlet.emit("snapshot", { stream: this.source.name, epoch, seq, unread, items, more });
  }

  #write(encoded: string[]): void {
    this.#outlet.writeEncoded(
      `["entries",{"stream":"${this.source.name}","epoch":"${this.#epoch}","entries":[${encoded.length === 1 ? encoded[0] : encoded.join(",")}]}]`,
    );
  }

  #isOpen(): boolean {
    return this.#state !== "closed";
  }
}
