import { randomUUID } from "node:crypto";
import { setImmediate as breath } from "node:timers/promises";
import { cutText, fault, id, MAX_ID_LENGTH } from "../checked.js";
import type { MemberChange } from "../members/types.js";
import { Follower, type StreamLog, type StreamReader } from "../stream/index.js";
import type { StoredEntry, StreamStore } from "../stream/types.js";
import type { AuditEntry, AuditPage, AuditQuery } from "./types.js";

/** The stream that the audit log is. It is never trimmed. */
export const AUDIT_STREAM = "audit";

/** The kind of its entries. */
const KIND = "act";

/** Entries read at once where most of them may be left out, or all are wanted. */
const STEP_ENTRIES = 500;

/** Entries that one filtered page looks at. Threat: a filter that nothing fits, which reads the log of years with each call. */
const MAX_SCANNED_ENTRIES = 10_000;

/** Characters of each text of an entry. Threat: whoever may have acts refused fills the disk with what they send. */
const MAX_ENTRY_TEXT_LENGTH = 500;

/** What an entry says, before it has a place and a time. */
export type Act = Omit<AuditEntry, "id" | "at">;

/** What the audit log needs of the core. */
export type AuditLog = StreamReader & Pick<StreamLog<MemberChange>, "append" | "transact">;

export interface AuditOptions {
  log: AuditLog;
  streams: Pick<StreamStore, "read" | "readBack">;
  onError: (error: unknown) => void;
}

/** The append-only log of what moderators did and tried. Errors: `unavailable`. */
export class Audit {
  readonly #options: AuditOptions;
  readonly #follower: Follower;
  readonly #listeners = new Set<(entry: AuditEntry) => void>();

  constructor(options: AuditOptions) {
    this.#options = options;
    this.#follower = new Follower({
      log: options.log,
      stream: AUDIT_STREAM,
      onEntry: (entry) => this.#tell(toAuditEntry(entry)),
      onError: options.onError,
    });
  }

  /** Follows the log from its present end. */
  async start(): Promise<void> {
    this.#follower.start((await this.#options.log.tail(AUDIT_STREAM)).head);
  }

  stop(): Promise<void> {
    return this.#follower.stop();
  }

  /** Calls the listener with every entry, of all nodes, in order. Returns the way to stop it. */
  onAct(listener: (entry: AuditEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Appends an entry by itself. */
  async append(act: Act): Promise<void> {
    await this.#options.log.append(AUDIT_STREAM, draftOf(act, newKey()));
  }

  /**
   * Appends an entry together with the change that it is about, in one transaction. `decide` says at what time (ms) what changes, or throws;
   * it is asked again when another writer was faster.
   */
  async transact(act: Act, decide: () => Promise<{ at: number; change: MemberChange }>): Promise<void> {
    const key = newKey();
    await this.#options.log.transact(AUDIT_STREAM, async () => {
      const { at, change } = await decide();
      return { draft: { ...draftOf(act, key), at }, companion: change };
    });
  }

  /** @throws BelfryError `bad_request` where `before` is no id of an entry */
  async page({ before, limit, by, act, target }: AuditQuery): Promise<AuditPage> {
    const { log, streams } = this.#options;
    const items: AuditEntry[] = [];
    const isFiltered = by !== undefined || act !== undefined || target !== undefined;
    const step = isFiltered ? STEP_ENTRIES : limit + 1;
    let end = seqOf(before) ?? (await log.tail(AUDIT_STREAM)).head + 1;
    for (let scanned = 0; scanned < MAX_SCANNED_ENTRIES; ) {
      const entries = await streams.readBack(AUDIT_STREAM, KIND, 1, end, step);
      for (const entry of entries.map(toAuditEntry)) {
        if ((by ?? entry.by) !== entry.by || (act ?? entry.act) !== entry.act || (target ?? entry.target) !== entry.target) continue;
        if (items.length === limit) return { items, more: true };
        items.push(entry);
      }
      if (entries.length < step) return { items, more: false };
      scanned += entries.length;
      await breath();
      end = entries.at(-1)?.seq ?? end;
    }
    return { items, more: true, next: String(end) };
  }

  /** All entries that there are when this begins, oldest first. */
  async *export(): AsyncGenerator<AuditEntry, void, undefined> {
    const { log, streams } = this.#options;
    const { head } = await log.tail(AUDIT_STREAM);
    for (let after = 0; after < head; ) {
      const entries = await streams.read(AUDIT_STREAM, after, head, STEP_ENTRIES);
      if (entries.length === 0) return;
      yield* entries.map(toAuditEntry);
      // A store that answers at once, and a filter that lets nothing through, would hold the event loop for all of the log.
      await breath();
      after = entries.at(-1)?.seq ?? head;
    }
  }

  #tell(entry: AuditEntry): void {
    for (const listener of this.#listeners) {
      // What one screen makes of an act must not keep the others, or the log, from theirs.
      try {
        listener(entry);
      } catch (error) {
        this.#options.onError(error);
      }
    }
  }
}

function newKey(): string {
  return `act:${randomUUID()}`;
}

function draftOf(act: Act, key: string) {
  return { key, kind: KIND, own: JSON.stringify(bounded(act)), count: 0 };
}

/** Nothing longer than it may be, and a target only where it is an id: what was refused may hold anything. */
function bounded({ by, act, target, why, until, refused, from }: Act): object {
  const cut = (text: string | undefined, max = MAX_ENTRY_TEXT_LENGTH) => (text === undefined ? undefined : cutText(text, max));
  return {
    by,
    act: cutText(act, MAX_ID_LENGTH),
    target: id.safeParse(target).data,
    why: cut(why),
    until,
    refused: cut(refused),
    from: cut(from, MAX_ID_LENGTH),
  };
}

function toAuditEntry({ seq, at, own }: StoredEntry): AuditEntry {
  return { id: String(seq), at: new Date(at).toISOString(), ...(JSON.parse(own) as Act) };
}

function seqOf(before: string | undefined): number | null {
  if (before === undefined) return null;
  if (!/^[1-9]\d{0,14}$/.test(before)) throw fault("before", "must be the id of an entry of the audit log");
  return Number(before);
}
