import { setImmediate as breath } from "node:timers/promises";
import { BelfryError } from "../errors.js";
import type { Inbox, Notification } from "../inbox/index.js";
import type { StreamReader } from "../stream/index.js";
import type { StoredEntry } from "../stream/types.js";
import type { Device } from "./devices.js";
import { type Circumstances, type Decision, decide } from "./due.js";
import { MAX_BURST, PAGE_ENTRIES } from "./limits.js";

/** What was found for a device: up to where it is decided, and what it is to be sent now. */
export interface Finding {
  due: Array<{ notification: Notification; at: number }>;
  upTo: number;
  lookAt: number;
  unread: number;
}

/** Looked at when something happens. */
export const NEVER = Number.POSITIVE_INFINITY;

interface Sources {
  log: StreamReader;
  inbox: Pick<Inbox, "unseen">;
}

/**
 * Reads what comes after a device's cursor, and decides it. Where something is due it is read on, since of many only the newest are sent, and
 * these may be pages away; what nobody needs to hear of is left page by page.
 */
export async function findFor(
  { user, stream, cursor: from }: Pick<Device, "user" | "stream" | "cursor">,
  circumstances: Circumstances,
  sources: Sources,
): Promise<Finding> {
  const { head, base, unread } = await sources.log.tail(stream);
  // Trimmed past it; or the store was set back, and the numbering with it.
  let cursor = Math.min(Math.max(from, base - 1), head);
  let due: Finding["due"] = [];
  for (;;) {
    const entries = cursor === head ? [] : await page(sources.log, stream, cursor);
    const decided = await decidePage(user, entries, circumstances, sources.inbox);
    due = [...due, ...decided.due].slice(-MAX_BURST);
    if (decided.lookAt !== null) return { due, upTo: decided.upTo ?? cursor, lookAt: decided.lookAt, unread };
    cursor = entries.at(-1)?.seq ?? cursor;
    if (cursor >= head || entries.length === 0 || due.length === 0) {
      return { due, upTo: cursor, lookAt: cursor < head ? circumstances.now : NEVER, unread };
    }
    await breath();
  }
}

async function decidePage(
  user: string,
  entries: StoredEntry[],
  circumstances: Circumstances,
  inbox: Pick<Inbox, "unseen">,
): Promise<Omit<Decision, "due"> & Pick<Finding, "due">> {
  const created = entries.filter(({ kind }) => kind === "notification");
  const seqs = created.map(({ seq }) => seq);
  const unseen = seqs.length === 0 ? [] : await inbox.unseen(user, seqs);
  const bySeq = new Map(unseen.map((notification) => [notification.seq, notification]));
  const times = new Map(created.map(({ seq, at }) => [seq, at]));
  const decided = decide(
    created.map(({ seq, at }) => ({ seq, at, isUnseen: bySeq.has(seq) })),
    circumstances,
  );
  const due = decided.due.map((seq) => ({ notification: bySeq.get(seq) as Notification, at: times.get(seq) as number }));
  return { ...decided, due };
}

/** Trimming may run meanwhile; then there is less to read. */
async function page(log: StreamReader, stream: string, after: number): Promise<StoredEntry[]> {
  try {
    return await log.page(stream, after, PAGE_ENTRIES);
  } catch (error) {
    if (error instanceof BelfryError && error.code === "reset") return [];
    throw error;
  }
}
