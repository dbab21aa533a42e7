import { isoTime } from "../inbox/index.js";
import type { StoredEntry } from "../stream/types.js";
import { type AudienceTest, audienceTest } from "./audience.js";
import type { Announcement, Audience, Settled } from "./types.js";

/** An announcement as members see it. */
export type PublicAnnouncement = Omit<Announcement, "audience">;

/** What the member has done about it. RFC 3339, or null. */
export interface SettledTimes {
  dismissedAt: string | null;
  acknowledgedAt: string | null;
}

/** An entry of the stream, read once: its two wire forms, and what decides between them. */
export interface ReadEntry {
  id: string;
  /** Whether the entry is for a member. */
  isFor: AudienceTest;
  /** The whole announcement; null where the entry takes it away. */
  announcement: Announcement | null;
  /** JSON text for those whom it is for. */
  full: string;
  /** JSON text for all others: its place in the stream, and nothing of what it says. */
  hidden: string;
}

/** One reading serves every session that is given the same entry, so that all send the same text. */
const read = new WeakMap<StoredEntry, ReadEntry>();

export function readEntry(entry: StoredEntry): ReadEntry {
  let known = read.get(entry);
  if (known === undefined) {
    known = toReadEntry(entry);
    read.set(entry, known);
  }
  return known;
}

/** When it is to disappear: milliseconds, or infinity. */
export function expiryOf({ expiresAt }: Announcement): number {
  return expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt);
}

/** What members may know of it. */
export function toPublic({ audience, ...rest }: Announcement): PublicAnnouncement {
  return rest;
}

export function toSettledTimes({ dismissedAt, acknowledgedAt }: Settled): SettledTimes {
  return {
    dismissedAt: dismissedAt === null ? null : isoTime(dismissedAt),
    acknowledgedAt: acknowledgedAt === null ? null : isoTime(acknowledgedAt),
  };
}

/** JSON text of an entry that brings an announcement, for a member who has settled it. */
export function fullSettled({ full }: ReadEntry, settled: Settled): string {
  // The fields go to the end of the data, before its brace and that of the entry.
  return `${full.slice(0, -2)},${JSON.stringify(toSettledTimes(settled)).slice(1)}}`;
}

function toReadEntry({ seq, at, kind, own }: StoredEntry): ReadEntry {
  const said = JSON.parse(own) as Announcement | { id: string; why: string; audience?: Audience };
  const { audience, ...rest } = said;
  const start = `{"seq":${seq},"at":"${isoTime(at)}","kind":"${kind}","data":`;
  return {
    id: said.id,
    isFor: audienceTest(audience),
    announcement: kind === "announcement.rescinded" ? null : (said as Announcement),
    full: `${start}${JSON.stringify(rest)}}`,
    hidden: `${start}${JSON.stringify({ id: said.id, hidden: true })}}`,
  };
}
