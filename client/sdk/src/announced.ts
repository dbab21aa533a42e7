import { AT_REST, type Followed } from "./rule.js";
import type { Announcement } from "./types.js";
import type { Entry, Settled, WireAnnouncement } from "./wire.js";

/** Threat: a screen and a memory full of announcements. */
const MAX_ITEMS = 100;

/** What the service has confirmed of the announcements. What the member has settled of them stands in the inbox, and is put on at sight. */
export interface Announced extends Followed {
  /** The live ones, newest first. */
  readonly items: readonly WireAnnouncement[];
  /** Live and unsettled ones that are not among `items`: a snapshot has its limit. */
  readonly older: number;
}

export const NOTHING_ANNOUNCED: Announced = { ...AT_REST, cursor: null, items: [], older: 0 };

type SettledById = ReadonlyMap<string, Settled>;

/** The announcements after the next entry. */
export function applyToAnnounced(announced: Announced, { kind, data }: Entry): Announced {
  const { items } = announced;
  // Other kinds are a later version's.
  if (!/^announcement(\.updated|\.rescinded)?$/.test(kind)) return announced;
  const item = data as unknown as WireAnnouncement;
  const before = items.find(({ id }) => id === item.id);
  const others = items.filter((one) => one !== before);
  // Hidden: not for this member, or over by now.
  if (kind === "announcement.rescinded" || item.hidden) return { ...announced, items: others };
  if (before === undefined) return { ...announced, items: [item, ...others].slice(0, MAX_ITEMS) };
  const { dismissedAt, acknowledgedAt } = before;
  return { ...announced, items: items.map((one) => (one === before ? { dismissedAt, acknowledgedAt, ...item } : one) as WireAnnouncement) };
}

/** How many of those that are held are neither dismissed nor acknowledged. */
export const openIn = ({ items }: Announced, settled: SettledById): number => items.filter((item) => isOpen(marked(item, settled))).length;

/** What stands on the screen: a mandatory one until it is acknowledged, one that cannot be dismissed until it ends. */
export function onScreen({ items }: Announced, settled: SettledById): Announcement[] {
  return items
    .map((item) => marked(item, settled))
    .filter((item) => (item.mandatory ? item.acknowledgedAt === null : !item.dismissible || isOpen(item)));
}

function marked(item: WireAnnouncement, settled: SettledById): Announcement {
  const said = settled.get(item.id);
  const dismissedAt = item.dismissedAt ?? said?.dismissedAt ?? null;
  const acknowledgedAt = item.acknowledgedAt ?? said?.acknowledgedAt ?? null;
  // One that stays can still be taken off the count.
  const ask = item.dismissible && !item.mandatory ? "dismiss" : acknowledgedAt === null ? "acknowledge" : null;
  return { ...item, dismissedAt, acknowledgedAt, ask };
}

const isOpen = ({ dismissedAt, acknowledgedAt }: Announcement): boolean => (dismissedAt ?? acknowledgedAt) === null;
