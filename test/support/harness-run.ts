import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readForum } from "./expected-forum.js";
import { seeded } from "./forum-run.js";
import { Findings } from "./harness-checks.js";
import { Caller } from "./harness-client.js";
import { Cluster } from "./harness-cluster.js";
import { Crowd } from "./harness-crowd.js";
import { checkLogs } from "./harness-logs.js";
import type { Stack } from "./harness-stack.js";
import { Staff, TOPICS } from "./harness-staff.js";
import { StoreReader } from "./harness-store.js";
import { judge, type Outcome } from "./harness-verdict.js";
import { until } from "./member.js";
import { nameOf, type PlannedFault, schedule } from "./schedule.js";
import { play } from "./schedule-player.js";
import { forumPart } from "./seeds-forum.js";

/** Nodes of a run, members who have devices, and what each of these does. */
const NODES = 3;
const MEMBERS = 11;
const DEEDS = 6;

/** By when about all is said that is said during the faults, and before that by when members have said what they want to hear. Milliseconds. */
const TALK_MS = 4_500;
const WISHES_MS = 500;

/** By when all nodes serve once everything is healed, and by when every device has all there is then. Milliseconds. */
const READY_MS = 20_000;
const CONVERGE_MS = 20_000;

/** By when devices on all nodes show what is told when all is well. Milliseconds. */
const HINT_MS = 5_000;

/** By when a ban holds on all nodes once they are healed. Milliseconds. */
const BAN_MS = 5_000;

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
  /** Seconds of all, and from when all was healed and said until every device had it. */
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
    await judge(run.outcome);
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
    const wishes = part.wishes.flatMap((call) => (call.is === "settings" ? [call.wish] : []));
    // The last one is banned, and then may not wish for anything.
    const outlaw = part.users.slice(MEMBERS - 1).find((one) => !wishes.some(({ user }) => user === one));
    if (outlaw === undefined) throw new Error("all members have wishes");
    const users = [...part.users.slice(0, MEMBERS - 1), outlaw];
    const places = { urls: this.cluster.urls, secret: this.cluster.keys.jwtSecret };
    const blocks = wishes.filter((wish) => wish.is === "block");
    const isBlocked = (from: string, to: string): boolean => blocks.some(({ user, other }) => user === to && other === from);
    const crowd = new Crowd(users, { places, seed: this.seed, topics: TOPICS, isBlocked });
    this.crowd = crowd;
    const wishing = [...wishes.map(({ user }) => user), ...blocks.map(({ other }) => other)];
    await this.staff.register([...new Set([...users, ...wishing])]);
    await crowd.arrive();
    this.reached("arrived");

    const comingAndGoing = crowd.comeAndGo();
    const playing = play(faults, this.cluster).finally(() => this.reached("played"));
    const talking = [
      this.staff.feed(part.wishes, WISHES_MS).then(() => Promise.all(part.lanes.map((lane) => this.staff.feed(lane)))),
      this.staff.tell(part.users),
      ...users.slice(0, 2).map((user, index) => this.staff.run(`task-${index}`, user)),
      this.staff.announce(),
      ...TOPICS.map((topic) => this.staff.write(topic)),
      this.staff.ban(crowd.outlaw.user),
      crowd.work(long ? DEEDS * 2 : DEEDS),
    ];
    // All of them end, whichever fails.
    const ended = await Promise.allSettled([playing, ...talking]);
    this.reached("healed");
    crowd.assemble();
    await comingAndGoing;
    for (const one of ended) if (one.status === "rejected") throw one.reason;
    this.#readers = this.cluster.nodes.map(({ url }) => new StoreReader(url, this.cluster.keys));
    for (const node of this.cluster.nodes) if (node.hasDied) this.findings.add(`${node.name} died: ${node.output.slice(-2_000)}`);
    await until("all nodes are ready", async () => (await Promise.all(this.#readers.map((one) => one.isReady()))).every(Boolean), READY_MS);
    await this.#expectOutlawed();
    await this.staff.unban(crowd.outlaw.user);
    crowd.pardon();
    await this.staff.begun();
    const said = Date.now();
    await this.#converge(CONVERGE_MS);
    this.convergedIn = (Date.now() - said) / 1_000;
    this.reached("converged");

    for (const topic of TOPICS) await this.staff.writeLast(topic);
    await this.staff.tellLast(users);
    await this.#converge(HINT_MS);
  }

  /** What there is to judge. @throws Error before the run has been played. */
  get outcome(): Outcome {
    const { findings, staff, caller } = this;
    if (this.crowd === null || this.#part === null) throw new Error("the run was not played");
    return { findings, staff, caller, crowd: this.crowd, expected: this.#part.expected, readers: this.#readers };
  }

  /** All nodes end as they are asked to. */
  async stop(): Promise<void> {
    const exits = await Promise.all(this.cluster.nodes.map((node) => node.drain()));
    for (const [index, exit] of exits.entries()) this.findings.same(`how node ${index} ended`, exit, { code: 0, signal: null });
  }

  /** Who was banned, on whichever node, is sent away and let in by none. */
  async #expectOutlawed(): Promise<void> {
    const { devices } = (this.crowd as Crowd).outlaw;
    await until("the banned member's devices are sent away", () => devices.every(({ link }) => !link.isWanted), BAN_MS);
    for (const [node, device] of devices.entries()) device.come(node);
    await until("they are refused", () => devices.every(({ link }) => !link.isWanted), BAN_MS);
    for (const { link } of devices) this.findings.same("why the banned member was refused", link.refusals.at(-1), "banned");
  }

  /** Every device is up and has what the store has of its member. */
  async #converge(ms: number): Promise<void> {
    const { devices, boards } = this.crowd as Crowd;
    const reader = this.#readers[0] as StoreReader;
    const heads = new Map<string, number>();
    for (const user of new Set(devices.map((device) => device.user))) heads.set(user, await reader.head(user));
    const behind = (): string[] =>
      devices
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
}

async function keepLogs(folder: string, { nodes }: Cluster, report: RunReport): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all(nodes.map(({ name, output }) => writeFile(join(folder, `${name}.log`), output)));
  await writeFile(join(folder, "report.json"), `${JSON.stringify(report, null, 2)}\n`);
}
