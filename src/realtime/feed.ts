import { setImmediate as breath } from "node:timers/promises";
import { BelfryError } from "../errors.js";
import { firstPage } from "../inbox/index.js";
import type { Cursor, StoredEntry, StreamReader, Tail } from "../stream/index.js";
import { PAGE_ENTRIES, SNAPSHOT_TRIES } from "./limits.js";
import type { MemberStream, StreamSnapshot } from "./member-streams.js";
import type { Outlet } from "./outlet.js";
import { Packet, type SharedPackets } from "./packet.js";
import type { Turnstile } from "./turnstile.js";

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

/** Where a feed reads what its client does not have: page by page, when its turn has come. */
export interface FeedReader {
  log: Pick<StreamReader, "page">;
  turns: Turnstile;
}

/** Who is told of what a feed sends that is not live. */
export interface FeedObserver {
  /** These entries were sent to a client that was behind. */
  page(feed: Feed, entries: readonly StoredEntry[]): void;
  /** The stream was shown as it is. */
  snapshot(): void;
}

export interface FeedEvents {
  observer?: FeedObserver;
  replayed(): void;
  reset(): void;
  /** Nothing goes on before the client has read what was sent. */
  held(): void;
  failed(error: unknown): void;
  /** Something of the stream is to be sent now: what it builds on must be sent before. */
  showing(): void;
  /** `synced` has been sent. */
  synced(): void;
}

/** Entries read from the store, and their texts. */
interface ReadPage {
  page: StoredEntry[];
  encoded: string[];
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
  readonly #reader: FeedReader;
  readonly #outlet: FeedOutlet;
  readonly #events: FeedEvents;
  #epoch = "";
  #sent = 0;
  #target = 0;
  /** The counter stored with the last entry given. */
  #unread = 0;
  #state: "opening" | "catching up" | "live" | "closed" = "opening";
  /** Taken, and not sent yet. */
  #snapshot: StreamSnapshot | null = null;
  /** Whether the client must be shown the stream anew before it is given more. */
  #anew = false;
  /** Live entries of this turn, encoded. */
  #pending: string[] | null = null;
  #announceSynced = true;

  constructor(source: MemberStream, reader: FeedReader, outlet: FeedOutlet, events: FeedEvents) {
    this.source = source;
    this.#reader = reader;
    this.#outlet = outlet;
    this.#events = events;
  }

  /** The last seq given to the client. */
  get sent(): number {
    return this.#sent;
  }

  /** Decides how the stream is taken up. The feed must hear of new entries already, else one could fall between this read and `start`. */
  async open(cursor: Cursor | undefined, storeEpoch: string, tail: Tail): Promise<Opening> {
    const epoch = this.source.epochOf(storeEpoch);
    this.#epoch = epoch;
    const { base, head } = tail;
    if (!this.#anew && cursor !== undefined && cursor.epoch === epoch && cursor.seq >= base - 1 && cursor.seq <= head) {
      this.source.confirmed(cursor.seq);
      this.#sent = cursor.seq;
      this.#unread = tail.unread;
      this.#target = Math.max(this.#target, head);
      await this.source.prepare(head);
      return { epoch, base, head, unread: this.source.unreadAt(tail.unread, head), resume: "exact", from: cursor.seq };
    }
    this.#anew = false;
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
    else if (!this.#anew && this.source.fits(this.#snapshot)) this.#sendSnapshot(this.#snapshot);
    else this.#anew = true;
    void this.#catchUp();
  }

  /** An entry was appended. Whether it is the next for a client that can take it: then `give` must follow at once, or `push` and `flush`. */
  takes(seq: number): boolean {
    if (seq > this.#target) this.#target = seq;
    if (this.#state !== "live" || seq <= this.#sent) return false;
    if (seq === this.#sent + 1 && !this.#outlet.congested) return true;
    this.flush();
    void this.#catchUp();
    return false;
  }

  /** Sends the entry that `takes` took at once, in the packet of all who are given the same of it. */
  give(entry: StoredEntry, shared: SharedPackets): void {
    const encoded = this.source.encode(entry);
    this.#sent = entry.seq;
    this.#unread = entry.unread;
    this.source.given(entry);
    this.#write(shared.of(this.#epoch, encoded, () => this.#packet([encoded])));
  }

  /** The entry that `takes` took, to be sent with the others of this turn; `encoded` is its wire form. */
  push(entry: StoredEntry, encoded: string): void {
    // Most often there is one: an array made for it is smaller than an empty one that grows.
    if (this.#pending === null) this.#pending = [encoded];
    else this.#pending.push(encoded);
    this.#sent = entry.seq;
    this.#unread = entry.unread;
    this.source.given(entry);
  }

  /** The store says that the stream goes to `head`. */
  onHead(head: number): void {
    if (head > this.#target) this.#target = head;
    if (this.#state === "live" && head > this.#sent) void this.#catchUp();
  }

  /** Goes on where the store failed. */
  retry(): void {
    if (this.#state === "live" && (this.#anew || this.#target > this.#sent)) void this.#catchUp();
  }

  /** What the client has of the stream counts no more: it is shown the stream anew, as it is now, whatever its cursor. */
  restart(): void {
    this.#anew = true;
    if (this.#state === "live") void this.#catchUp();
  }

  /** Sends the live entries of this turn as one packet. */
  flush(): void {
    const pending = this.#pending;
    if (pending === null) return;
    this.#pending = null;
    this.#write(this.#packet(pending));
  }

  close(): void {
    this.#state = "closed";
    this.#pending = null;
  }

  async #catchUp(): Promise<void> {
    this.#state = "catching up";
    try {
      while (this.#isOpen()) {
        if (this.#outlet.congested) this.#events.held();
        await this.#outlet.ready();
        if (this.#anew) await this.#reader.turns.run(() => this.#showAnew());
        const target = this.#target;
        const read = this.#sent >= target ? null : await this.#reader.turns.run(() => this.#nextPage());
        if (!this.#isOpen()) return;
        if (read !== null) {
          // What has changed how it looks since it was encoded was sent to the client meanwhile: it is read once more.
          if (this.source.fits(read.encoded)) this.#sendPage(read);
          // A long replay must not keep the others waiting, nor whatever ends it.
          await breath();
        } else if (!this.#anew && this.#target === target) {
          // Between this test and going live nothing is awaited: no hint can fall between.
          this.#goLive();
          return;
        }
      }
    } catch (error) {
      this.#pause(error);
    }
  }

  /** Null where there is nothing, or where trimming has passed the reader: then what is left is shown anew. */
  async #nextPage(): Promise<ReadPage | null> {
    // The session may have ended while others had their turn.
    if (!this.#isOpen()) return null;
    try {
      const page = await this.#reader.log.page(this.source.stream, this.#sent, PAGE_ENTRIES);
      return page.length === 0 ? null : { page, encoded: await this.source.encodePage(page) };
    } catch (error) {
      if (!(error instanceof BelfryError) || error.code !== "reset") throw error;
      if (this.#isOpen()) this.#events.reset();
      this.#anew = true;
      return null;
    }
  }

  /** The store did not answer. The next hint, or the next sweep, tries again. */
  #pause(error: unknown): void {
    if (!this.#isOpen()) return;
    this.#state = "live";
    this.#events.failed(error);
  }

  #sendPage({ page, encoded: all }: ReadPage): void {
    const encoded = firstPage(all);
    const given = page.slice(0, encoded.length);
    const last = given.at(-1) as StoredEntry;
    this.#sent = last.seq;
    this.#unread = last.unread;
    for (const entry of given) this.source.given(entry);
    this.#write(this.#packet(encoded));
    this.#events.observer?.page(this, given);
  }

  #goLive(): void {
    // A page that came back empty means that the target was a hint of something the store does not have.
    this.#target = this.#sent;
    this.#state = "live";
    if (!this.#announceSynced) return;
    this.#announceSynced = false;
    this.#events.showing();
    const unread = this.source.unreadAt(this.#unread, this.#sent);
    this.#outlet.emit("synced", { stream: this.source.name, epoch: this.#epoch, seq: this.#sent, unread });
    this.#events.synced();
  }

  async #showAnew(): Promise<void> {
    let snapshot: StreamSnapshot;
    let tries = 0;
    do {
      // Who asks for it while one is taken gets another.
      this.#anew = false;
      try {
        snapshot = await this.source.snapshot();
      } catch (error) {
        this.#anew = true;
        throw error;
      }
    } while (++tries < SNAPSHOT_TRIES && !this.source.fits(snapshot));
    if (!this.#isOpen()) return;
    this.#announceSynced = true;
    this.#sendSnapshot(snapshot);
  }

  #sendSnapshot(snapshot: StreamSnapshot): void {
    const { epoch, seq, unread, items, more } = snapshot;
    this.#snapshot = null;
    this.#epoch = epoch;
    this.#sent = seq;
    this.#unread = unread;
    this.#events.showing();
    this.#outlet.emit("snapshot", { stream: this.source.name, epoch, seq, unread, items, more });
    this.source.passed(seq);
    this.#events.observer?.snapshot();
  }

  #packet(encoded: string[]): Packet {
    const entries = encoded.length === 1 ? encoded[0] : encoded.join(",");
    return new Packet("/notifications", `["entries",{"stream":"${this.source.name}","epoch":"${this.#epoch}","entries":[${entries}]}]`);
  }

  #write(packet: Packet): void {
    this.#events.showing();
    this.#outlet.writeEncoded(packet);
    this.source.passed(this.#sent);
  }

  #isOpen(): boolean {
    return this.#state !== "closed";
  }
}
