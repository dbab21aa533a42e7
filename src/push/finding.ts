import { BelfryError } from "../errors.js";
import type { Inbox, Notification } from "../inbox/index.js";
import type { StreamReader } from "../stream/index.js";
import type { StoredEntry } from "../stream/types.js";
import type { Device } from "./devices.js";
import { type Circumstances, decide } from "./due.js";
import { PAGE_ENTRIES } from "./limits.js";

/** What was found for a device: up to where it is decided, and what it is to be sent now. */
export interface Finding {
  due: Array<{ notification: Notification; at: number }>;
  upTo: number;
  lookAt: number;
  unread: number;
}

/** Looked at when something happens. */
export const NEVER = Number.POSITIVE_INFINITY;

/** Reads what comes after a device's cursor, and decides it. */
export async function findFor(
  { user, stream, cursor: from }: Pick<Device, "user" | "stream" | "cursor">,
  circumstances: Circumstances,
  { log, inbox }: { log: StreamReader; inbox: Pick<Inbox, "unseen"> },
): Promise<Finding> {
  const { head, base, unread } = await log.tail(stream);
  // Trimmed past it; or the store was set back, and the numbering with it.
  const cursor = Math.min(Math.max(from, base - 1), head);
  const entries = cursor === head ? [] : await page(log, stream, cursor);
  const created = entries.filter(({ kind }) => kind === "notification");
  const seqs = created.map(({ seq }) => seq);
  const unseen = seqs.length === 0 ? [] : await inbox.unseen(user, seqs);
  const bySeq = new Map(unseen.map((notification) => [notification.seq, notification]));
  const noted = created.map(({ seq, at }) => ({ seq, at, isUnseen: bySeq.has(seq) }));
  const { due, upTo, lookAt } = decide(noted, circumstances);
  const times = new Map(created.map(({ seq, at }) => [seq, at]));
  const last = entries.at(-1)?.seq ?? cursor;
  return {
    due: due.map((seq) => ({ notification: bySeq.get(seq) as Notification, at: times.get(seq) as number })),
    upTo: lookAt === null ? last : (upTo ?? cursor),
    lookAt: lookAt ?? (last < head ? circumstances.now : NEVER),
    unread,
  };
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
