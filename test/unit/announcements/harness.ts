import type { MemberFacts } from "../../../src/announcements/audience.js";
import { Announcements } from "../../../src/announcements/index.js";
import type { AnnouncementChange, AnnouncementStore } from "../../../src/announcements/types.js";
import type { AnnouncementView } from "../../../src/announcements/view.js";
import type { MemberRecord } from "../../../src/members/types.js";
import { StreamLog, type StreamStore } from "../../../src/stream/index.js";
import { MemoryAnnouncements } from "../../support/announcement-store.js";

export const START = Date.parse("2026-01-01T00:00:00Z");

/** A time so many seconds after the start, as requests have it. */
export const at = (seconds: number) => new Date(START + seconds * 1_000).toISOString();

export const unrecorded = async () => {};

/** One node: a log of its own and the room, on a store that others may share. */
export interface Node {
  log: StreamLog<AnnouncementChange>;
  room: Announcements;
  errors: unknown[];
}

interface Ports {
  streams: StreamStore<AnnouncementChange>;
  announcements: AnnouncementStore;
}

/** Who is known, the clock and the store of all nodes of a test. */
export class World {
  readonly clock = { now: START };
  readonly store = new MemoryAnnouncements();
  readonly members: MemberRecord[] = [];
  readonly #stops: Array<() => Promise<void>> = [];
  readonly #ports: Ports;

  constructor(ports?: Ports) {
    this.#ports = ports ?? { streams: this.store.asStreamStore(), announcements: this.store };
  }

  know(user: string, roles: string[] = [], joinedAt = START - 86_400_000): MemberFacts {
    this.members.push({ user, name: null, roles, joinedAt, mute: null, ban: null });
    this.members.sort((one, other) => Buffer.compare(Buffer.from(one.user), Buffer.from(other.user)));
    return { user, roles, joinedAt };
  }

  /** `isMine`: whether this node brings what is scheduled; without it, it always does. */
  async node(ports = this.#ports, isMine = () => true): Promise<Node> {
    const clock = () => this.clock.now;
    const log = new StreamLog<AnnouncementChange>({ store: ports.streams, clock });
    const errors: unknown[] = [];
    const room = new Announcements({
      log,
      store: ports.announcements,
      members: {
        page: async (after, limit) => {
          const start = after === null ? 0 : this.members.findIndex(({ user }) => user === after) + 1;
          return this.members.slice(start, start + limit);
        },
        find: async (user) => this.members.find((member) => member.user === user) ?? null,
      },
      inbox: { streamOf: (user) => `inbox:${user}` },
      clock,
      isMine,
      onError: (error) => errors.push(error),
    });
    await room.start();
    let stopping: Promise<void> | null = null;
    const stop = () => {
      stopping ??= room.stop().then(() => log.close());
      return stopping;
    };
    this.#stops.push(stop);
    return { log, room, errors };
  }

  /** So many seconds go by, and every one of the nodes notices at once. */
  async pass(seconds: number, ...nodes: Node[]): Promise<void> {
    this.clock.now += seconds * 1_000;
    await Promise.all(nodes.map(({ room }) => room.tick()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#stops.map((stop) => stop()));
  }

  kinds(): string[] {
    return this.store.entries("announcements").map(({ kind }) => kind);
  }
}

/** An entry as a client has it. */
export interface Wire {
  seq: number;
  at: string;
  kind: string;
  data: Record<string, unknown> & { id: string };
}

/** What a view shows of all entries after a seq. */
export async function shownAfter(world: World, view: AnnouncementView, after = 0): Promise<Wire[]> {
  const entries = world.store.entries("announcements", after);
  await view.prepare(entries.at(-1)?.seq ?? 0);
  return entries.map((entry) => JSON.parse(view.encode(entry)) as Wire);
}

/** Announces with only what must be said, and what else is given. */
export async function announce({ room }: Node, fields: object = {}): Promise<string> {
  const { announcement } = await room.announce("mia", { title: "News", text: "There is news.", ...fields }, unrecorded);
  return announcement.id;
}
