import type { Action } from "./actions.js";
import { type Known, NOTHING } from "./known.js";
import { AT_REST } from "./rule.js";
import { slicesOf } from "./slices.js";

/** Of the shape below. Another one is another program's, and is not read. */
const VERSION = "belfry 1";

/** Threat: a browser's storage, and the start of a page, filled by a long history. The service keeps the rest. */
const MAX_KEPT = 200;

/** Cursor and items in one text, which is written at once: apart, an exact resume would continue a list that is not there. */
export function toText({ inbox, announcements }: Known): string {
  const items = inbox.items.slice(0, MAX_KEPT);
  const last = items[MAX_KEPT - 1];
  // What is older than the last one kept is not held any more; other filters are listed again when they are looked at.
  const all = Math.max(inbox.floors.all, inbox.items.length > MAX_KEPT && last ? last.seq : 0);
  const { cursor, unread } = inbox;
  return JSON.stringify([VERSION, { cursor, unread, items }, all, [...inbox.settled], { ...announcements, ...AT_REST }]);
}

/** What `toText` has kept. Nothing, so that the service sends a snapshot, unless the text is whole. */
export function fromText(text: string | null): Known {
  try {
    const [version, inbox, all, settled, announcements] = JSON.parse(text ?? "");
    const known: Known = {
      ...NOTHING,
      inbox: { ...NOTHING.inbox, ...inbox, floors: { ...NOTHING.inbox.floors, all }, settled: new Map(settled) },
      announcements: { ...NOTHING.announcements, ...announcements },
    };
    // What cannot be shown throws. The service would refuse a cursor that is none, for good.
    slicesOf(known);
    if (version === VERSION && isPlace(inbox.cursor) && (announcements.cursor === null || isPlace(announcements.cursor))) return known;
  } catch {
    // Rubbish, or nothing yet.
  }
  return NOTHING;
}

/** The actions in a text; those that are none are left out. */
export function actionsIn(text: string | null): Action[] {
  try {
    return (JSON.parse(text ?? "") as unknown[]).filter(isAction);
  } catch {
    return [];
  }
}

/** Also for what other tabs say: they may run another version. */
export function isAction(value: unknown): value is Action {
  const { id, tab, event, payload } = (value ?? {}) as Partial<Action>;
  return [id, tab, event].every((one) => typeof one === "string") && typeof payload === "object";
}

const isPlace = ({ epoch, seq }: { epoch: unknown; seq: unknown }): boolean => typeof epoch === "string" && Number.isSafeInteger(seq);
