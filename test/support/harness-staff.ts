import { setTimeout as pause } from "node:timers/promises";
import type { Caller, Success } from "./harness-client.js";
import { tokenFor, until } from "./member.js";
import type { Told } from "./seeds-expected.js";
import type { ForumCall } from "./seeds-forum.js";

/** What the service said is stored, by the answers of its own. */
export interface Stored {
  user: string;
  id: string;
  seq: number;
}

/** What must come of an announcement: its title, or nothing where it was taken back. */
export interface ExpectedAnnouncement {
  id: string;
  title: string;
  isLive: boolean;
  kinds: string[];
}

/** How much of everything a run has. */
const DIRECT = 12;
const RECIPIENTS = 25;
const REPORTS = 4;
const WRITES = 15;

/** The announcement that begins later does so this long after it was made: a call under faults takes a while. Milliseconds. */
const BEGINS_MS = 6_000;

/** By when it has begun after that: the node that brings it may have to hear of it first, and be another one than before. Milliseconds. */
const BEGUN_MS = 30_000;

/** The names of the topics that are written, and watched. */
export const TOPICS = ["board:one", "board:two"];

/** The servers and moderators of a run: what they send to the nodes, and what must come of it. */
export class Staff {
  /** What members are told besides the forum's events, by user: each list in its order. */
  readonly expected = new Map<string, Told[][]>();
  readonly announcements: ExpectedAnnouncement[] = [];
  readonly stored: Stored[] = [];
  /** The last values of the topics. */
  readonly values = new Map<string, unknown>();

  /** `ms`: by when about all is to be said. */
  constructor(
    private readonly caller: Caller,
    private readonly random: () => number,
    private readonly ms: number,
  ) {}

  /** Makes members known, as messages and blocks are for those who are. */
  async register(users: readonly string[]): Promise<void> {
    await Promise.all(users.map((user) => this.caller.asServer("PUT", `/v1/members/${encodeURIComponent(user)}`, {})));
  }

  /** One lane of the forum's data, within about `ms`. */
  async feed(calls: readonly ForumCall[], ms = this.ms): Promise<void> {
    for (const call of calls) {
      await this.#pause(calls.length, ms);
      if (call.is === "settings") await this.#wish(call.wish);
      else if (call.is === "hook") this.#keep(await this.caller.hook(call.event, call.id, call.post));
      else this.#keep(await this.caller.asServer("POST", "/v1/events", call.body));
    }
  }

  /** Notifications for many members at once. */
  async tell(users: readonly string[]): Promise<void> {
    for (let n = 0; n < DIRECT; n++) {
      await this.#pause(DIRECT);
      const to = [...new Set(Array.from({ length: RECIPIENTS }, () => users[Math.floor(this.random() * users.length)] as string))];
      const text = `told ${n}`;
      this.#keep(await this.caller.asServer("POST", "/v1/notifications", { to, type: "note", text, key: `told-${n}` }));
      for (const user of to) this.#expect(user, 0, { about: `text ${text}`, reason: "direct", actor: "system" });
    }
  }

  /** A task that reports, and ends. */
  async run(task: string, user: string): Promise<void> {
    for (let n = 0; n < REPORTS; n++) {
      await this.#pause(REPORTS);
      await this.caller.asServer("PUT", `/v1/tasks/${task}`, { user, state: "running", percent: n * 20 });
    }
    const text = `${task} is done`;
    await this.caller.asServer("PUT", `/v1/tasks/${task}`, { user, state: "completed", text });
    this.#expect(user, 1, { about: `text ${text}`, reason: "direct", actor: "system" });
  }

  /** Announcements: one that stays, one that is changed, one that is taken back, one that begins later. */
  async announce(): Promise<void> {
    const made: ExpectedAnnouncement[] = [];
    for (let n = 0; n < 4; n++) {
      await this.#pause(6);
      const title = `announcement ${n}`;
      const fields = {
        ...(n === 1 ? { mandatory: true } : {}),
        ...(n === 3 ? { startsAt: new Date(Date.now() + BEGINS_MS).toISOString() } : {}),
      };
      const { body } = await this.caller.asServer("POST", "/v1/announcements", { title, text: "…", key: `announcement-${n}`, ...fields });
      made.push({ id: body.id as string, title, isLive: true, kinds: ["announcement"] });
    }
    this.announcements.push(...made);
    const [, changed, gone] = made as [ExpectedAnnouncement, ExpectedAnnouncement, ExpectedAnnouncement];
    await this.#pause(6);
    await this.caller.asServer("PATCH", `/v1/announcements/${changed.id}`, { title: "changed" });
    Object.assign(changed, { title: "changed", kinds: [...changed.kinds, "announcement.updated"] });
    await this.#pause(6);
    await this.#remove(`/v1/announcements/${gone.id}`);
    Object.assign(gone, { isLive: false, kinds: [...gone.kinds, "announcement.rescinded"] });
  }

  /** Resolves once the announcement that begins later has begun. */
  async begun(): Promise<void> {
    const last = this.announcements.at(-1);
    if (last === undefined) return;
    const isLive = async () => (await this.caller.asServer("GET", `/v1/announcements/${last.id}`)).body.state === "live";
    await until(`${last.title} has begun`, isLive, BEGINS_MS + BEGUN_MS);
  }

  /** Bans a member, on the way. */
  async ban(user: string): Promise<void> {
    await this.#pause(2);
    await this.caller.asServer("PUT", `/v1/members/${encodeURIComponent(user)}/ban`, { why: "spam" });
  }

  async unban(user: string): Promise<void> {
    await this.#remove(`/v1/members/${encodeURIComponent(user)}/ban`);
  }

  /** Values of a topic, the newest of which counts. */
  async write(topic: string): Promise<void> {
    for (let n = 0; n < WRITES; n++) {
      await this.#pause(WRITES);
      await this.#write(topic, n);
    }
  }

  /** What a frozen node has kept may still come to light: so the last value is written when all is well again. */
  async writeLast(topic: string): Promise<void> {
    await this.#write(topic, WRITES);
    this.values.set(topic, { n: WRITES });
  }

  /** Tells members something that their devices are to show soon. */
  async tellLast(users: readonly string[]): Promise<void> {
    const text = "all is well again";
    this.#keep(await this.caller.asServer("POST", "/v1/notifications", { to: users, type: "note", text, key: "last" }));
    for (const user of users) this.#expect(user, 0, { about: `text ${text}`, reason: "direct", actor: "system" });
  }

  /** A repeat of what was carried out finds nothing to take back. */
  async #remove(path: string): Promise<void> {
    await this.caller.untilDone({ method: "DELETE", path, credential: this.caller.keys.apiKey, goneIsDone: true });
  }

  async #write(topic: string, n: number): Promise<void> {
    await this.caller.asServer("PUT", `/v1/topics/${encodeURIComponent(topic)}`, { data: { n } });
  }

  async #wish(wish: Extract<ForumCall, { is: "settings" }>["wish"]): Promise<void> {
    const credential = tokenFor(this.caller.keys.jwtSecret, { sub: wish.user });
    const call =
      wish.is === "block"
        ? { path: `/v1/me/blocks/${encodeURIComponent(wish.other)}` }
        : { path: "/v1/me/levels", body: { scope: "thread", id: wish.thread, level: "muted" } };
    await this.caller.untilDone({ method: "PUT", credential, ...call });
  }

  /** What an answer lists as stored. */
  #keep({ body }: Success): void {
    const { notified } = body as { notified?: Stored[] };
    if (notified !== undefined) this.stored.push(...notified);
  }

  #expect(user: string, lane: number, row: Told): void {
    const lanes = this.expected.get(user) ?? [[], []];
    (lanes[lane] as Told[]).push(row);
    this.expected.set(user, lanes);
  }

  /** Spreads so many calls over the time there is. */
  async #pause(count: number, ms = this.ms): Promise<void> {
    await pause(((2 * ms) / count) * this.random());
  }
}
