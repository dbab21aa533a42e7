import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import { Activity } from "./activity/index.js";
import { ANNOUNCEMENTS_STREAM, Announcements } from "./announcements/index.js";
import { Community, DiscourseConnector, type Publisher } from "./community/index.js";
import { type Config, MADE_UP_SUBJECT } from "./config/index.js";
import { Inbox } from "./inbox/index.js";
import { Lease } from "./lease/index.js";
import { Members, standing } from "./members/index.js";
import { Messages } from "./messages/index.js";
import { AUDIT_STREAM, Moderation } from "./moderation/index.js";
import { Preferences } from "./preferences/index.js";
import { Presence, Roll } from "./presence/index.js";
import { Push } from "./push/index.js";
import type { Companion, Stores } from "./storage/types.js";
import type { StreamLog } from "./stream/index.js";
import { Tasks } from "./tasks/index.js";
import type { Metrics } from "./telemetry/index.js";
import { Topics } from "./topics/index.js";

export type Rooms = ReturnType<typeof createRooms>;

/** The rooms between the stores and the transports. */
export function createRooms(stores: Stores, log: StreamLog<Companion>, publisher: Publisher, lease: Lease, logger: Logger) {
  const failed = (room: string) => (err: unknown) => logger.error({ err }, `${room}: the store failed; it is tried again`);
  const inbox = new Inbox({ log, streams: stores.streams, store: stores.inbox });
  const members = new Members({
    store: stores.members,
    wasTold: async (user) => (await log.tail(inbox.streamOf(user))).head > 0,
    onError: failed("members"),
  });
  const preferences = new Preferences({ store: stores.preferences, members });
  const community = new Community({ publisher, inbox, subjects: stores.subjects, preferences, acquaintances: members });
  const notify = community.notify.bind(community);
  const presence = new Presence();
  return {
    inbox,
    members,
    preferences,
    community,
    discourse: new DiscourseConnector({ community, directory: stores.directory }),
    announcements: new Announcements({
      log,
      store: stores.announcements,
      members,
      inbox,
      isMine: () => lease.isHeld,
      onError: failed("announcements"),
    }),
    moderation: new Moderation({ log, streams: stores.streams, members, onError: failed("moderation") }),
    messages: new Messages({ notify, members, preferences }),
    tasks: new Tasks({ store: stores.tasks, notify, told: community.told.bind(community), onError: failed("tasks") }),
    topics: new Topics({ store: stores.topics }),
    presence,
    roll: new Roll({ presence, names: (users) => members.namesOf(users) }),
  };
}

/** What this process did, as its metrics have it. */
export function createActivity(stores: Stores, metrics: Metrics, presence: Presence, logger: Logger): Activity {
  return new Activity({
    store: stores.activity,
    process: randomUUID(),
    totals: () => {
      const { live, replayed, seconds } = metrics.deliveries.totals;
      return {
        events: metrics.events.stored.value,
        entries: metrics.entriesAppended.value,
        delivered: live,
        replayed,
        ingest: metrics.ingestSeconds,
        delivery: seconds,
      };
    },
    sessions: () => presence.localSessions,
    onError: (err) => logger.warn({ err }, "what was done this minute could not be written; it is tried again"),
  });
}

/** Web push, where the operator has it on. `hearsAll`: whether this node knows who is connected to others. */
export function createPush(
  { push }: Config,
  stores: Stores,
  log: StreamLog<Companion>,
  { inbox, members, presence }: Rooms,
  metrics: Metrics,
  lease: Lease,
  logger: Logger,
  hearsAll: () => boolean,
): Push | null {
  if (push === null) return null;
  if (push.subject === MADE_UP_SUBJECT)
    logger.warn("VAPID_SUBJECT: it is not set, so push services are told an address that nobody reads, which some refuse");
  const { sent, failed, removed } = metrics.pushes;
  const room = new Push({
    ...push,
    log,
    inbox,
    store: stores.push,
    isConnected: (user) => presence.sessionsOf(user) > 0 || !hearsAll(),
    isBanned: async (user) => standing((await members.find(user))?.ban ?? null, Date.now()) !== null,
    isMine: () => lease.isHeld,
    observer: { sent: () => sent.add(), failed: () => failed.add(), removed: () => removed.add() },
    onRemoved: (user, service, why) => logger.info({ user, service, why }, "a device is not pushed to any more"),
    onUnauthorized: (service, why) =>
      logger.warn({ service, why }, "a push service does not accept this service: see to VAPID_SUBJECT and to this machine's clock"),
    onError: (err) => logger.error({ err }, "push: the store failed; it is tried again"),
  });
  metrics.pushDevices.from(() => room.devices);
  metrics.pushWaiting.from(() => room.waiting);
  return room;
}

/** What must be known before the first request. Announcements hear of entries before the sessions do: they say what an entry means. */
export async function startRooms({ preferences, announcements, moderation }: Rooms): Promise<void> {
  await preferences.load();
  await announcements.start();
  await moderation.start();
}

/** The audit log is kept for ever. */
export async function trimOne(stream: string, base: number, log: StreamLog<Companion>, inbox: Inbox): Promise<void> {
  if (stream === AUDIT_STREAM) return;
  if (stream === ANNOUNCEMENTS_STREAM) await log.trim(stream, base);
  else await inbox.trim(stream, base);
}

/** On what one node does for all: trimming, and what is scheduled. */
export function createLease(stores: Stores, logger: Logger): Lease {
  return new Lease({
    store: stores.leases,
    name: "upkeep",
    holder: randomUUID(),
    // With the embedded store there is nobody else.
    onChange: (held) =>
      logger[stores.kind === "sqlite" ? "debug" : "info"](
        { held },
        "the lease on what one node does for all (trimming, what is scheduled)",
      ),
    onError: (err) => logger.warn({ err }, "the lease on what one node does for all could not be taken or renewed; it is tried again"),
  });
}
