import { io as connectSocket } from "socket.io-client";
import { withActions } from "./actions.js";
import { addressOf } from "./address.js";
import { keepIn } from "./keep.js";
import { type Known, NOTHING, take } from "./known.js";
import { openLink } from "./link.js";
import { type Member, openMember } from "./member.js";
import { platform } from "./platform.js";
import { type Answer, newId } from "./queue.js";
import { OFFLINE } from "./refusal.js";
import { slicesOf } from "./slices.js";
import { endOf } from "./tasks.js";
import { tokensOf } from "./tokens.js";
import type { Arrival, Belfry, ConnectOptions, Session, WatchLevel } from "./types.js";
import { upkeepOf } from "./upkeep.js";
import { onWake } from "./wake.js";
import type { Entry, StreamEvent } from "./wire.js";

/** The most ids that one mark takes. Source: docs/PROTOCOL.md. */
const MAX_IDS = 100;

/**
 * Follows a member's notifications, from now until `close()`. Never throws: what is wrong with the options or the service stands in `status`.
 */
export const connect = (options: ConnectOptions): Belfry => connectBy(connectSocket, options);

/** @param io what makes the connections */
export function connectBy(io: typeof connectSocket, { url, token, user, storage, onWarning = console.warn }: ConnectOptions): Belfry {
  const changes = listeners<void>();
  const arrivals = listeners<Arrival>();
  const sessions = listeners<Session | null>();
  const tab = newId();
  const address = addressOf(url, platform.location?.origin);
  const warn = (message: string): void => guard(() => onWarning(`Belfry: ${message}`));
  const keep = keepIn(storage, warn);
  let session: Session | null = null;
  let member: Member | null = null;
  /** While what is kept of the member is read. */
  let loading = Promise.resolve();
  let known: Known = NOTHING;
  let slices = slicesOf(known);
  let isStale = false;
  let isScheduled = false;
  let isClosed = false;

  const upkeep = upkeepOf(
    () => link,
    () => known,
    change,
  );
  const link = openLink({
    io,
    address,
    tokens: tokensOf(token),
    cursors: () => {
      const { inbox, announcements } = known;
      // What was settled of announcements stands in the inbox: without its cursor, theirs leads nowhere.
      return inbox.cursor ? { inbox: inbox.cursor, announcements: announcements.cursor } : {};
    },
    onUser,
    onEvent,
    onStatus: touch,
    onSession: (now) => {
      session = now;
      sessions.tell(now);
    },
  });

  function onUser(whose: string | undefined): Promise<void> {
    if (whose === undefined || whose === member?.user || isClosed) return loading;
    member?.close();
    known = NOTHING;
    const opened = openMember({
      user: whose,
      service: `${address?.origin}${address?.path}`,
      tab,
      keep,
      known: () => known,
      ask: link.ask,
      now: link.serverNow,
      onChange: touch,
      leave: close,
      warn,
    });
    member = opened;
    loading = opened.load().then((kept) => {
      if (member === opened && !isClosed && known.inbox.cursor === null) change(kept);
    });
    return loading;
  }

  function onEvent(event: StreamEvent): void {
    if (event.type === "welcome" && event.user !== member?.user) {
      // The token did not say whose it is, or it has changed hands: what was sent as cursors was somebody else's.
      const isForeign = known.inbox.cursor !== null;
      void onUser(event.user);
      if (isForeign) {
        link.reconnect();
        return;
      }
    }
    change(take(known, event));
    if (event.type === "synced") void member?.queue.send();
  }

  function change(changed: Partial<Known>): void {
    const { cursor } = known.inbox;
    known = { ...known, ...changed };
    if (known.inbox.cursor !== cursor || changed.announcements) member?.changed();
    member?.queue.settle();
    touch();
    upkeep.look();
  }

  /** Something may look different: tells so once, however much comes before the microtask. */
  function touch(): void {
    isStale = true;
    if (isScheduled) return;
    isScheduled = true;
    void Promise.resolve().then(tell);
  }

  function shown(): typeof slices {
    if (isStale) {
      isStale = false;
      slices = slicesOf(withActions(known, member?.queue.actions ?? []), slices);
    }
    return slices;
  }

  function tell(): void {
    isScheduled = false;
    const { fresh } = known.inbox;
    known = { ...known, inbox: { ...known.inbox, fresh: [] } };
    changes.tell();
    for (const { id, missed } of fresh) {
      const notification = shown().views.unread.items.find((item) => item.id === id);
      if (notification !== undefined) arrivals.tell({ notification, missed, loud: member?.speaksOf(notification.seq) === true });
    }
  }

  function act<Result = void>(event: string, payload: object, pick?: (answer: Answer) => Result, epoch?: string): Promise<Result> {
    const answer = member?.queue.do(event, payload as Entry["data"], epoch) ?? Promise.reject(OFFLINE);
    return uncaught(answer.then(pick ?? (() => undefined as Result)));
  }

  const mark =
    (event: string) =>
    (given: string | readonly string[]): Promise<void> => {
      const ids = [given].flat();
      const parts: Array<Promise<void>> = [];
      while (ids.length > 0) parts.push(act(event, { ids: ids.splice(0, MAX_IDS) }));
      return uncaught(Promise.all(parts).then(() => {}));
    };

  /** Up to what is here now, also if it is sent hours later. */
  const upToNow = (event: string) => (): Promise<void> => {
    const { epoch, seq: upTo } = known.inbox.cursor ?? {};
    return upTo ? act(event, { upTo }, undefined, epoch) : Promise.resolve();
  };

  function close({ forget }: { forget?: boolean } = {}): void {
    isClosed = true;
    endWake();
    upkeep.close();
    link.close();
    member?.close(forget);
  }

  const endWake = onWake(link.wake);
  void onUser(user);
  link.reconnect();

  return {
    get user() {
      return member?.user ?? null;
    },
    get status() {
      return link.status;
    },
    get notifications() {
      return shown().views.all.items;
    },
    get unread() {
      return this.unreadNotifications + this.unreadAnnouncements;
    },
    get unreadNotifications() {
      return shown().unreadNotifications;
    },
    get unreadAnnouncements() {
      return shown().unreadAnnouncements;
    },
    get announcements() {
      return shown().announcements;
    },
    get tasks() {
      return shown().tasks;
    },
    get pending() {
      return member?.queue.own().length ?? 0;
    },
    subscribe: changes.add,
    onArrival: arrivals.add,
    onSession(listener) {
      guard(() => listener(session));
      return sessions.add(listener);
    },
    view: (filter) => shown().views[filter],
    more: (filter = "all", limit) => uncaught(upkeep.more(filter, limit)),
    task: (id) => [...known.inbox.items.map(endOf), ...shown().tasks].find((task) => task?.task === id) ?? null,
    read: mark("read"),
    markUnread: mark("unread"),
    archive: mark("archive"),
    unarchive: mark("unarchive"),
    readAll: upToNow("read_all"),
    seen: upToNow("seen"),
    dismiss: (announcement) => act("dismiss", { announcement }),
    acknowledge: (announcement) => act("acknowledge", { announcement }),
    send: (message) => act("send", { ...message, key: message.key ?? newId() }, ({ id }) => ({ id: id as string })),
    level: (level) => act("level", level, ({ ok: _, ...set }) => set as unknown as WatchLevel),
    block: (whom) => act("block", { user: whom }),
    unblock: (whom) => act("unblock", { user: whom }),
    reconnect: link.reconnect,
    close,
  };
}

/** Those who want to be told. */
function listeners<What>() {
  const all = new Set<{ listener: (what: What) => void }>();
  return {
    /** One function may be added twice, and taken back once. Returns what takes it back. */
    add(listener: (what: What) => void): () => void {
      const one = { listener };
      all.add(one);
      return () => {
        all.delete(one);
      };
    },
    tell(what: What): void {
      for (const { listener } of all) guard(() => listener(what));
    },
  };
}

/** A listener that throws must not stop the others, or what comes after. */
function guard(act: () => void): void {
  try {
    act();
  } catch (error) {
    // Not thrown again: in Node that would end the process.
    console.error(error);
  }
}

/** A promise that nobody has to catch. */
function uncaught<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => {});
  return promise;
}
