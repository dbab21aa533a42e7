import { BelfryError } from "../errors.js";
import type { Board } from "./board.js";
import { ANNOUNCEMENTS_STREAM, type AnnouncementLog } from "./records.js";
import { parseId } from "./requests.js";
import type { AnnouncementStore, Settled } from "./types.js";
import type { AnnouncementView } from "./view.js";

/** What a member can do about an announcement. */
export type SettleVerb = "dismiss" | "acknowledge";

const KIND_OF = { dismiss: "dismissed", acknowledge: "acknowledged" } as const;

export interface SettleParts {
  log: AnnouncementLog;
  store: AnnouncementStore;
  board: Board;
  /** Names a member's own stream, on which their other devices follow. */
  inbox: { streamOf(user: string): string };
  clock: () => number;
}

/**
 * Stores what a member does about an announcement, as an entry of their inbox; again changes nothing. Answers the inbox's head, and how
 * many announcements are left. @throws BelfryError `not_found`, `bad_request`
 */
export async function settle(
  parts: SettleParts,
  user: string,
  verb: SettleVerb,
  payload: unknown,
  view: AnnouncementView,
): Promise<{ seq: number; unread: number }> {
  const { log, store, board, inbox, clock } = parts;
  const id = parseId(payload);
  // The member may have it from a node that is a moment ahead of this one.
  if (!board.remembers(id)) await board.reach((await log.tail(ANNOUNCEMENTS_STREAM)).head);
  const announcement = view.has(id) ? board.find(id)?.announcement : undefined;
  if (announcement === undefined) {
    throw new BelfryError("not_found", `None of your announcements has the id ${JSON.stringify(id)}; nothing was changed.`);
  }
  // What must be acknowledged cannot be waved away, whatever else its author said.
  if (verb === "dismiss" && (announcement.mandatory || !announcement.dismissible)) {
    throw new BelfryError("bad_request", "This announcement cannot be dismissed; acknowledge it instead.");
  }
  const kind = KIND_OF[verb];
  const { seq } = await log.transact(inbox.streamOf(user), async () => {
    const known = (await store.settledOf(user, [id])).get(id);
    if (known !== undefined && known[`${kind}At`] !== null) return null;
    const at = clock();
    const settled: Settled = { dismissedAt: null, acknowledgedAt: null, [`${kind}At`]: at };
    return {
      draft: { key: `${kind}:${id}`, kind, own: JSON.stringify({ announcement: id }), count: 0, at },
      companion: { of: "settled", user, announcement: id, settled },
    };
  });
  return { seq, unread: view.unreadWithout(id) };
}
