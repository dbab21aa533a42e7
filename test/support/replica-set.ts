import { setTimeout as pause } from "node:timers/promises";
import mongoose from "mongoose";
import { type MongodProcess, startMongod } from "./mongod.js";
import { SET } from "./mongod-process.mjs";

/** How long a primary may be silent before the others elect one; MongoDB's own ten seconds would make the tests slow. Milliseconds. */
const ELECTION_TIMEOUT_MS = 2_000;

/** How often members tell each other that they are there. Milliseconds. */
const HEARTBEAT_MS = 500;

/**
 * A secondary whose source of entries stands still looks for another one after seconds instead of fifteen; until then no majority of three
 * has what a new primary writes. And faults can be asked for.
 */
const PARAMETERS = { oplogNetworkTimeoutBufferSeconds: 1, oplogFetcherSteadyStateMaxFetcherRestarts: 0, enableTestCommands: 1 };

/** How long an election, or catching up, may take on a busy machine. Milliseconds. */
const DEADLINE_MS = 60_000;

/** How long a member may take to answer before it counts as away. Milliseconds. */
const ANSWER_MS = 1_000;

/** How often a condition is looked at. Milliseconds. */
const POLL_MS = 50;

export type ReplicaSetMember = Pick<MongodProcess, "port" | "pid" | "responsive" | "kill9" | "freeze" | "thaw" | "restart">;

/** A member's answer to `hello`, as far as it is used. `electionId` grows with every election. */
interface Hello {
  isWritablePrimary: boolean;
  secondary: boolean;
  electionId?: mongoose.mongo.ObjectId;
}

/** A replica set of several processes, for one test alone. */
export class ReplicaSet {
  /** Names all members and no database. */
  readonly url: string;
  readonly members: readonly ReplicaSetMember[];
  readonly #processes: MongodProcess[];

  constructor(processes: MongodProcess[]) {
    this.#processes = processes;
    this.members = processes;
    this.url = `mongodb://${processes.map(({ port }) => `127.0.0.1:${port}`).join(",")}/?replicaSet=${SET}`;
  }

  /** The member that takes writes, once there is one: of two that both believe to, the one that was elected last. */
  primary(): Promise<ReplicaSetMember> {
    return until("a primary", async () => {
      const answers = await this.#hellos();
      const elected = answers
        .filter(({ hello }) => hello?.isWritablePrimary)
        .sort((one, other) => (isOlder(one.hello, other.hello) ? 1 : -1));
      return elected[0]?.member ?? null;
    });
  }

  /** Those that can be elected besides the primary, once all members that run are either. */
  async secondaries(): Promise<ReplicaSetMember[]> {
    const primary = await this.primary();
    return until("all others to be secondaries", async () => {
      const others = (await this.#hellos()).filter(({ member }) => member !== primary);
      return others.every(({ hello }) => hello?.secondary) ? others.map(({ member }) => member) : null;
    });
  }

  /**
   * Keeps the others from following the primary, which they obey still, until it has taken writes that none of them has. Where it goes away
   * now, these are taken back when it returns; `follow` is to be called when there is another.
   */
  async runAhead(): Promise<ReplicaSetMember> {
    const primary = await this.primary();
    for (const { port } of await this.secondaries()) await command(port, following(false));
    let before = "";
    await until("the primary to be ahead", async () => {
      const { opTime, majorityOpTime } = (await command(primary.port, { hello: 1 })).lastWrite;
      // What others have confirmed goes on until they really stand still.
      const isStill = before === String(majorityOpTime.ts);
      before = String(majorityOpTime.ts);
      return isStill && opTime.ts.greaterThan(majorityOpTime.ts) ? true : null;
    });
    return primary;
  }

  /** Lets all members that run follow their primary again. */
  async follow(): Promise<void> {
    for (const { port } of this.members.filter(({ responsive }) => responsive)) await command(port, following(true));
  }

  /** Undoes whatever was done to the members; resolves when all are primary or secondary. */
  async heal(): Promise<void> {
    for (const member of this.members) {
      member.thaw();
      if (!member.responsive) await member.restart();
    }
    await this.follow();
    await this.secondaries();
  }

  /** Asks the primary to give way to another; resolves once it has. */
  async stepDown(): Promise<void> {
    const { port } = await this.primary();
    await command(port, { replSetStepDown: 10, secondaryCatchUpPeriodSecs: 5, force: true });
  }

  /** Ends all members and removes their data. */
  async stop(): Promise<void> {
    // Killed, because one that ends properly waits for the others to take over.
    await Promise.all(this.#processes.map((process) => process.kill9()));
    await Promise.all(this.#processes.map((process) => process.stop()));
  }

  /** What each member that runs answers; undefined of one that does not in time. */
  #hellos(): Promise<Array<{ member: ReplicaSetMember; hello: Hello | undefined }>> {
    const running = this.members.filter(({ responsive }) => responsive);
    return Promise.all(
      running.map(async (member) => ({
        member,
        hello: await command(member.port, { hello: 1 }).then(
          (answer) => answer as unknown as Hello,
          () => undefined,
        ),
      })),
    );
  }
}

/** A set of so many members, with a primary. @throws Error when the test was started without a binary. */
export async function startReplicaSet(size: number): Promise<ReplicaSet> {
  const started = await Promise.allSettled(Array.from({ length: size }, () => startMongod("uninitiated", PARAMETERS)));
  const set = new ReplicaSet(started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
  try {
    for (const one of started) if (one.status === "rejected") throw one.reason;
    const members = set.members.map(({ port }, _id) => ({ _id, host: `127.0.0.1:${port}` }));
    const settings = { electionTimeoutMillis: ELECTION_TIMEOUT_MS, heartbeatIntervalMillis: HEARTBEAT_MS };
    await command((set.members[0] as ReplicaSetMember).port, { replSetInitiate: { _id: SET, members, settings } }, DEADLINE_MS);
    await set.secondaries();
    return set;
  } catch (error) {
    await set.stop();
    throw error;
  }
}

/** A fault of MongoDB's own: a secondary that fetches nothing. */
function following(follows: boolean): mongoose.mongo.Document {
  return { configureFailPoint: "stopReplProducer", mode: follows ? "off" : "alwaysOn" };
}

function isOlder(one: Hello | undefined, other: Hello | undefined): boolean {
  return String(one?.electionId) < String(other?.electionId);
}

async function command(port: number, what: mongoose.mongo.Document, ms = ANSWER_MS): Promise<mongoose.mongo.Document> {
  const client = new mongoose.mongo.MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`, {
    serverSelectionTimeoutMS: ms,
    socketTimeoutMS: ms,
  });
  try {
    return await client.db("admin").command(what);
  } finally {
    await client.close();
  }
}

async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > deadline) throw new Error(`The replica set: waited in vain for ${what}.`);
    await pause(POLL_MS);
  }
}
