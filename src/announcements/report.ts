import { isoTime } from "../inbox/index.js";
import { audienceOf, compareIds, type MemberDirectory } from "./audience.js";
import { type AnnouncementRecord, type AnnouncementStore, MAX_PASSINGS, type Passing, type Settled, type Watermarks } from "./types.js";

/** What became of an announcement with one member. Times are RFC 3339; null: it did not happen. */
export interface ReportRow {
  user: string;
  reachedAt: string | null;
  seenAt: string | null;
  acknowledgedAt: string | null;
}

/** The numbers are of all members of the audience; `members` is a page of them, in order of their ids. */
export interface Report {
  audience: number;
  reached: number;
  seen: number;
  acknowledged: number;
  members: ReportRow[];
  more: boolean;
}

/** Rows for all known members who are in the audience now. */
export async function* rowsOf(record: AnnouncementRecord, store: AnnouncementStore, members: MemberDirectory): AsyncGenerator<ReportRow[]> {
  for await (const page of audienceOf(record.announcement.audience, members)) {
    if (page.length === 0) continue;
    const users = page.map(({ user }) => user);
    const [watermarks, settled] = await Promise.all([store.watermarks(users), store.settledBy(record.id, users)]);
    yield users.map((user) => toRow(user, record, watermarks.get(user), settled.get(user)));
  }
}

/** The numbers, and the page after the member `after` (undefined: the first). */
export async function reportOf(pages: AsyncIterable<ReportRow[]>, after: string | undefined, limit: number): Promise<Report> {
  const report: Report = { audience: 0, reached: 0, seen: 0, acknowledged: 0, members: [], more: false };
  for await (const rows of pages) {
    for (const row of rows) {
      report.audience++;
      if (row.reachedAt !== null) report.reached++;
      if (row.seenAt !== null) report.seen++;
      if (row.acknowledgedAt !== null) report.acknowledged++;
      if (report.more || (after !== undefined && compareIds(row.user, after) <= 0)) continue;
      if (report.members.length < limit) report.members.push(row);
      else report.more = true;
    }
  }
  return report;
}

/** Whoever settles one has seen it, and whoever has seen it was reached by it. */
function toRow(user: string, record: AnnouncementRecord, marks: Watermarks | undefined, settled: Settled | undefined): ReportRow {
  const acknowledgedAt = settled?.acknowledgedAt ?? null;
  const seenAt = earliest(passingOf(marks?.seen, record), settled?.dismissedAt ?? null, acknowledgedAt);
  const reachedAt = earliest(passingOf(marks?.reached, record), seenAt);
  return { user, reachedAt: iso(reachedAt), seenAt: iso(seenAt), acknowledgedAt: iso(acknowledgedAt) };
}

/**
 * When a watermark passed the entry that brought the announcement, if that was before it ended. Of announcements that came within a second,
 * the time of the first stands for all; nobody was reached before there was anything.
 */
function passingOf(passings: Passing[] | undefined, { seq, createdAt, startsAt, endedAt }: AnnouncementRecord): number | null {
  if (seq === null) return null;
  const index = passings?.findIndex(({ upTo }) => upTo >= seq) ?? -1;
  const at = passings?.[index]?.at;
  if (passings === undefined || at === undefined) return null;
  // The oldest that is kept stands for those before it, one of which it was.
  const isForgotten = index === 0 && passings.length === MAX_PASSINGS;
  if (endedAt !== null && at > endedAt) return isForgotten ? endedAt : null;
  return Math.max(at, createdAt, startsAt ?? 0);
}

function earliest(...times: Array<number | null>): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function iso(at: number | null): string | null {
  return at === null ? null : isoTime(at);
}
