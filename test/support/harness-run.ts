import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readForum } from "./expected-forum.js";
import { seeded } from "./forum-run.js";
import { checkAnswered, checkDeeds, checkDevice, checkStream, checkTold, Findings } from "./harness-checks.js";
import { Caller } from "./harness-client.js";
import { Cluster } from "./harness-cluster.js";
import { Crowd } from "./harness-crowd.js";
import { checkLogs } from "./harness-logs.js";
import type { Stack } from "./harness-stack.js";
import { Staff, TOPICS } from "./harness-staff.js";
import { StoreReader } from "./harness-store.js";
import { until } from "./member.js";
import { nameOf, type PlannedFault, schedule } from "./schedule.js";
import { play } from "./schedule-player.js";
import { forumPart } from "./seeds-forum.js";

/** Nodes of a run, members who have devices, and what each of these does. */
const NODES = 3;
const MEMBERS = 10;
const DEEDS = 6;

/** By when about all is said that is said during the faults. Milliseconds. */
const TALK_MS = 4_500;

/** By when all nodes serve once everything is healed, and by when every device has all there is then. Milliseconds. */
const READY_MS = 20_000;
const CONVERGE_MS = 20_000;

/** By when devices on all nodes show what is told when all is well. Milliseconds. */
const HINT_MS = 5_000;

/** By when presence is right. Milliseconds. */
const PRESENCE_MS = 30_000;

export interface RunOptions {
  seed: number;
  /** Faults of up to 20 s. */
  long?: boolean;
  /** Where the logs of a failing run are kept; nowhere if absent. */
  keepIn?: string;
}

export interface RunReport {
  seed: number;
  findings: string[];
  faults: string[];
  /** Calls that were answered with success, and attempts that these took. */
  calls: number;
  attempts: number;
  /** Calls that took long. */
  slow: string[];
  devices: number;
  /** Seconds of all, and from the last healing until every device had all there was. */
  seconds: number;
  convergedIn: number;
  /** When the run came to what, in seconds since its begin. */
  phases: Record<string, number>;
  /** Where the logs are. */
  logs: string | null;
}

/** One run: a part of the forum, members and faults by the seed, on three nodes of their own; then everything is compared. */
export async function runSeed(stack: Stack, { seed, long = false, keepIn }: RunOptions): Promise<RunReport> {
  const began = Date.now();
  const faults = schedule(seed, { kind: stack.redis.kind, nodes: NODES, long });
  const phases: Record<string, number> = {};
  const reached = (phase: string): void => {
    phases[phase] = (Date.now() - began) / 1_000;
  };
  const cluster = await Cluster.start(stack, { size: NODES });
  reached("started");
  const run = new Run(cluster, seed, reached);
  try {
    await run.play(faults, long);
    await run.check();
    reached("checked");
  } catch (error) {
    run.findings.add(`the run ended early: ${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    run.crowd?.leave();
    if (run.findings.all.length === 0) await run.stop();
    checkLogs(run.findings, cluster.nodes, faults);
    await cluster.stop();
  }
  const failed = run.findings.all.length > 0;
  const report: RunReport = {
    seed,
    findings: run.findings.all,
    faults: faults.map(nameOf),
    calls: run.caller.calls,
    attempts: run.caller.attempts,
    slow: run.caller.slow,
    devices: run.crowd?.devices.length ?? 0,
    seconds: (Date.now() - began) / 1_000,
    convergedIn: run.convergedIn,
    phases,
    logs: failed && keepIn !== undefined ? join(keepIn, `seed-${seed}`) : null,
  };
  if (report.logs !== null) await keepLogs(report.logs, cluster, report);
  return report;
}

class Run {
  readonly findings = new Findings();
  readonly caller: Caller;
  readonly staff: Staff;
  crowd: Crowd | null = null;
  convergedIn = 0;
  #part: ReturnType<typeof forumPart> | null = null;
  #readers: StoreReader[] = [];

  constructor(
    private readonly cluster: Cluster,
    private readonly seed: number,
    private readonly reached: (phase: string) => void,
  ) {
    this.caller = new Caller(cluster.urls, cluster.keys, seeded(seed + 0.25));
    this.staff = new Staff(this.caller, seeded(seed + 0.5), TALK_MS);
  }

  async play(faults: PlannedFault[], long: boolean): Promise<void> {
    const part = forumPart(await readForum(), this.seed);
    this.#part = part;
    const users = part.users.slice(0, MEMBERS);
    const places = { urls: this.cluster.urls, secret: this.cluster.keys.jwtSecret };
    const crowd = new Crowd(users, { places, seed: this.seed, topics: TOPICS });
    this.crowd = crowd;
    const wishing = part.wishes.flatMap((call) =>
      call.is === "settings" ? [call.wish.user, ...(call.wish.is === "block" ? [call.wish.other] : [])] : [],
    );
    await this.staff.register([...new Set([...users, ...wishing])]);
    await crowd.arrive();
    this.reached("arrived");

    const comingAndGoing = crowd.comeAndGo();
    const playing = play(faults, this.cluster).finally(() => this.reached("played"));
    const talking = [
      this.staff.feed(part.wishes).then(() => Promise.all(part.lanes.map((lane) => this.staff.feed(lane)))),
      this.staff.tell(part.users),
      ...users.slice(0, 2).map((user, index) => this.staff.run(`task-${index}`, user)),
      this.staff.announce(),
      ...TOPICS.map((topic) => this.staff.write(topic)),
      crowd.work(long ? DEEDS * 2 : DEEDS),
    ];
    // All of them end, whichever fails.
    const ended = await Promise.allSettled([playing, ...talking]);
    const healed = Date.now();
    this.reached("healed");
    crowd.assemble();
    await comingAndGoing;
    for (const one of ended) if (one.status === "rejected") throw one.reason;
    this.#readers = this.cluster.nodes.map(({ url }) => new StoreReader(url, this.cluster.keys));
    for (const node of this.cluster.nodes) if (node.hasDied) this.findings.add(`${node.name} died: ${node.output.slice(-2_000)}`);
    await until("all nodes are ready", async () => (await Promise.all(this.#readers.map((one) => one.isReady()))).every(Boolean), READY_MS);
    await this.#converge(CONVERGE_MS);
    this.convergedIn = (Date.now() - healed) / 1_000;
    this.reached("converged");

    for (const topic of TOPICS) await this.staff.writeLast(topic);
    await this.staff.tellLast(users);
    await this.#converge(HINT_MS);
  }

  async check(): Promise<void> {
    const { findings, staff } = this;
    const { members, devices, boards } = this.crowd as Crowd;
    findings.none("a server's call", this.caller.faults);
    for (const { user, hand } of members) findings.none(`${user}'s hand`, hand.faults);
    const owned = new Set(members.map(({ user }) => user));
    const told = this.#told();
    const everybody = [...new Set([...told.keys(), ...staff.stored.map(({ user }) => user)])];
    await Promise.all(
      everybody.map(async (user, index) => {
        const readers = owned.has(user) ? this.#readers : [this.#readers[index % NODES] as StoreReader];
        const all = await Promise.all(readers.map((one) => one.inbox(user)));
        const stored = all[0] as (typeof all)[number];
        for (const [node, other] of all.entries()) findings.same(`${user}: node ${node} and node 0`, other, stored);
        checkStream(findings, user, stored);
        checkTold(findings, user, stored, told.get(user) ?? []);
        checkAnswered(
          findings,
          stored,
          staff.stored.filter((one) => one.user === user),
        );
        const member = members.find((one) => one.user === user);
        if (member === undefined) return;
        const announced = await (this.#readers[0] as StoreReader).announcements(user);
        checkDeeds(findings, user, stored, announced, member.hand.deeds);
        const { sitting, fleeting, late } = member;
        for (const [n, device] of [...sitting, ...fleeting, ...late].entries())
          checkDevice(findings, `${user}'s device ${n}`, device, stored, announced);
      }),
    );
    this.#checkAnnouncements();
    for (const topic of TOPICS) {
      const value = staff.values.get(topic);
      for (const [node, reader] of this.#readers.entries()) findings.same(`${topic} at node ${node}`, await reader.topic(topic), value);
      for (const [n, board] of boards.entries()) {
        await until(
          () => `board ${n} shows ${JSON.stringify(value)}, not ${JSON.stringify(board.shows(topic))}`,
          () => JSON.stringify(board.shows(topic)) === JSON.stringify(value),
          HINT_MS,
        );
      }
    }
    for (const [n, { link }] of boards.entries()) findings.none(`board ${n}`, link.faults);
    await this.#checkPresence({ users: owned.size, sessions: devices.length });
  }

  /** All nodes end as they are asked to. */
  async stop(): Promise<void> {
    const exits = await Promise.all(this.cluster.nodes.map((node) => node.drain()));
    for (const [index, exit] of exits.entries()) this.findings.same(`how node ${index} ended`, exit, { code: 0, signal: null });
  }

  /** Every device is up and has what the store has of its member. */
  async #converge(ms: number): Promise<void> {
    const { members, boards } = this.crowd as Crowd;
    const reader = this.#readers[0] as StoreReader;
    const heads = new Map<string, number>();
    for (const { user } of members) heads.set(user, await reader.head(user));
    const behind = (): string[] =>
      (this.crowd as Crowd).devices
        .filter(({ isUp, user, streams }) => !isUp || streams.inbox.seq < (heads.get(user) ?? 0))
        .map(
          ({ user, streams, link, isUp }) =>
            `${user} at node ${link.place} (${isUp ? "up" : "not up"}) is at ${streams.inbox.seq} of ${heads.get(user)}`,
        );
    await until(
      () => `every device has all: ${behind().join("; ")}`,
      () => behind().length === 0 && boards.every(({ link }) => link.isSettled),
      ms,
    );
  }

  /** What each member must have been told, in lists whose order counts. */
  #told(): Map<string, Array<Array<{ about: string; reason: string; actor: string }>>> {
    const told = new Map([...(this.#part?.expected ?? [])].map(([user, lists]) => [user, [...lists]]));
    const add = (user: string, lists: Array<Array<{ about: string; reason: string; actor: string }>>) =>
      told.set(user, [...(told.get(user) ?? []), ...lists]);
    for (const [user, lists] of this.staff.expected) add(user, lists);
    for (const { user, hand } of (this.crowd as Crowd).members) {
      const lists = new Map<string, string[]>();
      for (const { to, text } of hand.deeds.sent) lists.set(to, [...(lists.get(to) ?? []), text]);
      for (const [to, texts] of lists) add(to, [texts.map((text) => ({ about: `text ${text}`, reason: "direct", actor: user }))]);
    }
    return told;
  }

  /** Who was there from the beginning has got every announcement once, and shows those that are left. */
  #checkAnnouncements(): void {
    for (const { user, sitting } of (this.crowd as Crowd).members) {
      for (const { streams, screen } of sitting) {
        const kinds = new Map<string, string[]>();
        for (const { kind, data } of streams.announcements.applied.values())
          kinds.set(data.id as string, [...(kinds.get(data.id as string) ?? []), kind]);
        for (const expected of this.staff.announcements) {
          this.findings.same(`${user}: entries of ${expected.title}`, kinds.get(expected.id), expected.kinds);
          this.findings.same(
            `${user}: ${expected.title} is shown`,
            screen.announcements.get(expected.id)?.title,
            expected.isLive ? expected.title : undefined,
          );
        }
        this.findings.same(`${user}: announcements`, kinds.size, this.staff.announcements.length);
      }
    }
  }

  async #checkPresence(expected: { users: number; sessions: number }): Promise<void> {
    for (const [node, reader] of this.#readers.entries()) {
      let found: unknown;
      const isRight = async (): Promise<boolean> => {
        found = await reader.online();
        return JSON.stringify(found) === JSON.stringify(expected);
      };
      await until(
        () => `node ${node} knows who is online: found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`,
        isRight,
        PRESENCE_MS,
      );
    }
    for (const [n, board] of (this.crowd as Crowd).boards.entries()) {
      await until(
        () => `board ${n} shows ${expected.users} online, not ${board.online}`,
        () => board.online === expected.users,
        HINT_MS,
      );
    }
  }
}

async function keepLogs(folder: string, { nodes }: Cluster, report: RunReport): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all(nodes.map(({ name, output }) => writeFile(join(folder, `${name}.log`), output)));
  await writeFile(join(folder, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
}
