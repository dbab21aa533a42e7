import { setTimeout as pause } from "node:timers/promises";
import type { Connection, mongo } from "mongoose";
import { BelfryError } from "../../errors.js";
import { DEADLINE } from "./connection.js";
import { answered, guard } from "./errors.js";
import { CALL_DEADLINE_MS, ELECTION_PAUSE_MS, UNANSWERED_MS } from "./limits.js";
import { database, type Models } from "./schemas.js";

/** Makes a read as `guard` does, and again where it met an election. */
export type Read = <T>(work: () => Promise<T>) => Promise<T>;

const readers = new WeakMap<Connection, Read>();

/** The way in which all reads of a connection are made that others rely on. */
export function reader(models: Models): Read {
  const connection = models.meta.db;
  const known = readers.get(connection);
  if (known !== undefined) return known;
  const elections = new Elections(connection.getClient(), database(models.meta));
  const read: Read = (work) => elections.read(work);
  readers.set(connection, read);
  return read;
}

/**
 * Keeps what is read from going back in time. A primary that was just elected has all that a majority has, but learns only with its first own
 * entry how much of it that is; until then a read at majority can be older than one before it, as can one that the primary of before still
 * answers. Nothing is lost by that, but whoever knows more would be told that there is less: a device, for example, that its cursor lies past
 * the end. So a read counts where one primary was known from its beginning to its end, and that one had confirmed an entry of its own.
 */
class Elections {
  readonly #db: mongo.Db;
  /** The election of the latest primary that this node knows of, and the latest that is settled. */
  #latest: string | null = null;
  #settled: string | null = null;
  #settling: Promise<void> | null = null;

  constructor(client: mongo.MongoClient, db: mongo.Db) {
    this.#db = db;
    // The driver tells this before it gives the new primary anything to do.
    client.on("serverDescriptionChanged", ({ newDescription: { type, electionId } }) => {
      if (type === "RSPrimary" && electionId !== null) this.#latest = electionId.toHexString();
    });
  }

  read<T>(work: () => Promise<T>): Promise<T> {
    return guard(async () => {
      for (;;) {
        const before = this.#latest;
        const result = await answered(work(), UNANSWERED_MS);
        if (before !== null && before === this.#latest && before === this.#settled) return result;
        this.#settling ??= this.#settle().finally(() => {
          this.#settling = null;
        });
        await this.#settling;
      }
    });
  }

  /** Resolves once the latest primary knows what a majority has. */
  async #settle(): Promise<void> {
    const deadline = performance.now() + CALL_DEADLINE_MS;
    for (;;) {
      const hello = await answered(this.#db.command({ hello: 1, ...DEADLINE }), UNANSWERED_MS);
      const elected = (hello.electionId as mongo.ObjectId | undefined)?.toHexString() ?? null;
      this.#latest ??= elected;
      // A primary writes an entry of its own before it takes others' writes, so the last one written is of its term.
      const { opTime, majorityOpTime } = hello.lastWrite as Record<"opTime" | "majorityOpTime", { t: unknown }>;
      if (elected !== null && elected === this.#latest && hello.isWritablePrimary && String(opTime.t) === String(majorityOpTime.t)) {
        this.#settled = elected;
        return;
      }
      if (performance.now() > deadline) {
        throw new BelfryError("unavailable", "MongoDB has a primary that has not found a majority yet; try again in a moment.");
      }
      await pause(ELECTION_PAUSE_MS);
    }
  }
}
