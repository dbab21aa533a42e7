import { isDeepStrictEqual } from "node:util";
import type { Device } from "./device.js";
import type { Item } from "./device-screen.js";
import type { Deeds } from "./harness-hand.js";
import type { Stored } from "./harness-staff.js";
import type { StoredAnnouncements, StoredInbox } from "./harness-store.js";
import type { Entry } from "./member.js";
import type { Told } from "./seeds-expected.js";

/** How much of a value a finding quotes. */
const QUOTED = 700;

/** A snapshot has the newest so many items. */
const SNAPSHOT_ITEMS = 50;

/** Collects what is not as it must be. */
export class Findings {
  readonly all: string[] = [];

  add(finding: string): void {
    this.all.push(finding);
  }

  /** Two values that must be the same. */
  same(what: string, found: unknown, expected: unknown): void {
    if (!isDeepStrictEqual(found, expected)) this.add(`${what}: found ${quoted(found)}, expected ${quoted(expected)}`);
  }

  none(what: string, faults: readonly string[]): void {
    for (const fault of faults) this.add(`${what}: ${fault}`);
  }
}

/** A member's stream in itself: no gap, and counters that an independent count confirms. */
export function checkStream(findings: Findings, who: string, { entries, items, archived, unread }: StoredInbox): void {
  findings.same(
    `${who}: seqs`,
    entries.map(({ seq }) => seq),
    entries.map((_, index) => index + 1),
  );
  const counted = recount(entries);
  findings.same(
    `${who}: counters`,
    entries.map((entry) => entry.unread),
    counted,
  );
  findings.same(`${who}: the counter`, unread, counted.at(-1) ?? 0);
  findings.same(`${who}: unread items`, [...items, ...archived].filter(({ readAt }) => readAt === null).length, unread);
}

/** The number of unread notifications after each entry, by the table of docs/PROTOCOL.md. */
function recount(entries: Entry[]): number[] {
  const unread = new Map<string, number>();
  return entries.map(({ kind, seq, data }) => {
    if (kind === "notification") unread.set(data.id as string, seq);
    else if (kind === "notification.rescinded") unread.delete(data.id as string);
    else if (kind === "read" || kind === "archived") for (const id of data.ids ?? []) unread.delete(id);
    else if (kind === "read_all") for (const [id, at] of unread) if (at <= Number(data.upTo)) unread.delete(id);
    return unread.size;
  });
}

/** A member has been told exactly what was to be told: nothing is missing, nothing is doubled, and each list is in its order. */
export function checkTold(findings: Findings, who: string, stored: StoredInbox, lists: Told[][]): void {
  const found = [...stored.items, ...stored.archived].sort((one, other) => Number(one.seq) - Number(other.seq)).map(toTold);
  const texts = found.map((row) => JSON.stringify(row));
  const wanted = lists.flat().map((row) => JSON.stringify(row));
  const extra = difference(texts, wanted);
  const missing = difference(wanted, texts);
  if (extra.length > 0) findings.add(`${who}: told too much: ${quoted(extra)}`);
  if (missing.length > 0) findings.add(`${who}: not told: ${quoted(missing)}`);
  for (const list of lists) {
    const places = list.map((row) => texts.indexOf(JSON.stringify(row))).filter((place) => place >= 0);
    if (places.some((place, index) => place < (places[index - 1] ?? -1))) findings.add(`${who}: told in another order: ${quoted(list)}`);
  }
}

/** What the service answered is stored where it said. */
export function checkAnswered(findings: Findings, { entries }: StoredInbox, answered: readonly Stored[]): void {
  for (const { user, id, seq } of answered) {
    const entry = entries[seq - 1];
    if (entry?.data.id !== id) findings.add(`${user}: answered ${id} at ${seq}, stored there is ${quoted(entry)}`);
  }
}

/** A member's marks are those they were told are there, and no others. */
export function checkDeeds(findings: Findings, who: string, stored: StoredInbox, announced: StoredAnnouncements, deeds: Deeds): void {
  for (const item of [...stored.items, ...stored.archived]) {
    const { id } = item;
    const isRead = Number(item.seq) <= deeds.readUpTo || deeds.read.has(id) || deeds.archived.has(id);
    findings.same(`${who}: ${id} is read`, item.readAt !== null, isRead);
    findings.same(`${who}: ${id} is archived`, item.archivedAt !== null, deeds.archived.has(id));
  }
  for (const item of announced.items) {
    const field = deeds.settled.get(item.id);
    for (const name of ["dismissedAt", "acknowledgedAt"] as const)
      findings.same(`${who}: ${name} of ${item.id}`, item[name] !== null, field === name);
  }
}

/** A device shows what the store holds, and got there by the store's entries. */
export function checkDevice(findings: Findings, who: string, device: Device, stored: StoredInbox, announced: StoredAnnouncements): void {
  const { screen, streams } = device;
  findings.none(who, device.faults);
  findings.same(`${who}: seq`, streams.inbox.seq, stored.entries.length);
  findings.same(`${who}: unread`, screen.unread, stored.unread);
  const rescinded = new Set(stored.entries.filter(({ kind }) => kind === "notification.rescinded").map(({ data }) => data.id));
  const applied = [...streams.inbox.applied.values()];
  const first = applied[0]?.seq ?? stored.entries.length + 1;
  const whole = stored.entries.slice(first - 1);
  // Of what was taken back since, the store tells only that it was there.
  const bare = (entry: Entry) => (rescinded.has(entry.data.id) ? { ...entry, data: { id: entry.data.id } } : entry);
  findings.same(`${who}: entries from ${first}`, applied.map(bare), whole.map(bare));
  const shown = [...screen.inbox.values()]
    .filter(({ archivedAt }) => archivedAt === null)
    .sort((one, other) => Number(other.seq) - Number(one.seq));
  const count = first === 1 ? shown.length : Math.min(SNAPSHOT_ITEMS, shown.length);
  findings.same(
    `${who}: items`,
    shown.slice(0, count),
    stored.items.slice(0, Math.max(count, Math.min(SNAPSHOT_ITEMS, stored.items.length))),
  );
  findings.same(`${who}: announcements`, byId([...screen.announcements.values()]), byId(announced.items));
  findings.same(`${who}: announcements' counter`, screen.unsettled, announced.unread);
}

/** What a notification is about, and why it is there. */
function toTold(item: Item): Told {
  const { comment, thread, text, reason, actor } = item as Item & {
    comment?: { id: string };
    thread?: { id: string };
    reason: string;
    actor: { id: string };
  };
  const about = comment !== undefined ? `post ${comment.id}` : thread !== undefined ? `thread ${thread.id}` : `text ${text}`;
  return { about, reason, actor: actor.id };
}

function byId(items: Item[]): Item[] {
  return items.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

/** What is in the one and not in the other, each as often as it is there more often. */
function difference(one: string[], other: string[]): string[] {
  const left = [...other];
  return one.filter((text) => {
    const at = left.indexOf(text);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function quoted(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, QUOTED);
}
