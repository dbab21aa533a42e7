import type { Announcement, Arrival, Belfry, Filter, Notification, Status, Task, View } from "../../client/sdk/src/types.js";

/** What a fake store shows. */
export interface FakeState {
  items: Notification[];
  announcements: Announcement[];
  tasks: Task[];
  status: Status;
  /** Whether it says that there are older ones, which it then makes. */
  endless: boolean;
}

/** A store without a service: for how elements look, and for numbers of notifications that a service would take long to make. */
export interface FakeBelfry extends Belfry {
  set(change: Partial<FakeState>): void;
  arrive(item: Notification, loud?: boolean): void;
  /** The names of what was called, with what was given. */
  readonly calls: readonly string[];
}

const NOW = "2026-11-21T12:00:00.000Z";

/** A notification, the newest with the highest `seq`. */
export function fakeItem(seq: number, more: Partial<Notification> = {}): Notification {
  const member = seq % 9;
  return {
    id: `n-${seq}`,
    seq,
    reason: "reply",
    type: "comment",
    actor: { id: String(member), name: `member${member}` },
    thread: { id: String(Math.floor(seq / 3)), title: `Topic ${Math.floor(seq / 3)}`, url: `https://forum.example/t/${seq}` },
    text: `This is what was written in number ${seq}, which goes on for a while.`,
    url: `https://forum.example/t/${seq}`,
    createdAt: new Date(Date.parse(NOW) - 60_000 * (100_000 - seq)).toISOString(),
    readAt: seq % 2 === 0 ? NOW : null,
    archivedAt: null,
    ...more,
  };
}

export function fakeBelfry(start: Partial<FakeState> = {}): FakeBelfry {
  let state: FakeState = {
    items: [],
    announcements: [],
    tasks: [],
    status: { is: "online", since: 0, synced: true },
    endless: false,
    ...start,
  };
  const calls: string[] = [];
  const listeners = new Set<() => void>();
  const arrivals = new Set<(arrival: Arrival) => void>();
  let views = new Map<Filter, View>();

  const set = (change: Partial<FakeState>): void => {
    state = { ...state, ...change };
    views = new Map();
    for (const listener of listeners) queueMicrotask(listener);
  };
  const change = (name: string, given: string | readonly string[], how: (item: Notification) => Notification): Promise<void> => {
    const ids = new Set(typeof given === "string" ? [given] : given);
    calls.push(`${name} ${[...ids].join(" ")}`);
    set({ items: state.items.map((item) => (ids.has(item.id) ? how(item) : item)) });
    return Promise.resolve();
  };
  const view = (filter: Filter): View => {
    const known = views.get(filter);
    if (known !== undefined) return known;
    const fits = {
      all: (item: Notification) => item.archivedAt === null,
      unread: (item: Notification) => item.readAt === null,
      archived: (item: Notification) => item.archivedAt !== null,
    };
    const made = { items: state.items.filter(fits[filter]), more: state.endless };
    views.set(filter, made);
    return made;
  };
  const settle = (name: string, id: string): Promise<void> => {
    calls.push(`${name} ${id}`);
    set({ announcements: state.announcements.filter((item) => item.id !== id) });
    return Promise.resolve();
  };
  const count = (): number => state.items.filter(({ readAt }) => readAt === null).length;
  return {
    user: "1",
    get notifications() {
      return view("all").items;
    },
    get unread() {
      return count() + state.announcements.length;
    },
    get unreadNotifications() {
      return count();
    },
    get unreadAnnouncements() {
      return state.announcements.length;
    },
    get announcements() {
      return state.announcements;
    },
    get tasks() {
      return state.tasks;
    },
    get status() {
      return state.status;
    },
    pending: 0,
    onSession: () => () => {},
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onArrival(listener) {
      arrivals.add(listener);
      return () => arrivals.delete(listener);
    },
    view,
    more: (filter = "all") => {
      calls.push(`more ${filter}`);
      return Promise.resolve(state.endless);
    },
    task: (id) => state.tasks.find(({ task }) => task === id) ?? null,
    read: (ids) => change("read", ids, (item) => ({ ...item, readAt: item.readAt ?? NOW })),
    markUnread: (ids) => change("markUnread", ids, (item) => ({ ...item, readAt: null, archivedAt: null })),
    archive: (ids) => change("archive", ids, (item) => ({ ...item, readAt: item.readAt ?? NOW, archivedAt: NOW })),
    unarchive: (ids) => change("unarchive", ids, (item) => ({ ...item, archivedAt: null })),
    readAll: () =>
      change(
        "readAll",
        state.items.map(({ id }) => id),
        (item) => ({ ...item, readAt: item.readAt ?? NOW }),
      ),
    seen: () => Promise.resolve(),
    dismiss: (id) => settle("dismiss", id),
    acknowledge: (id) => settle("acknowledge", id),
    send: () => Promise.resolve({ id: "" }),
    level: (level) => Promise.resolve(level),
    block: () => Promise.resolve(),
    unblock: () => Promise.resolve(),
    reconnect: () => calls.push("reconnect"),
    close: () => calls.push("close"),
    set,
    arrive(item, loud = true) {
      set({ items: [item, ...state.items] });
      for (const tell of arrivals) tell({ notification: item, loud, missed: false });
    },
    calls,
  };
}
