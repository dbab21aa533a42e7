import type { Connection, mongo } from "mongoose";
import { serverCode, WRITE_CONFLICT } from "./errors.js";
import { CALL_DEADLINE_MS } from "./limits.js";

/**
 * A transaction in which nothing has happened for so long belongs to a process that died between two of its commands: a living one sends
 * the next within milliseconds. One that is ended by mistake was only not committed, and its writer is told so. Microseconds.
 */
const ORPHANED_AFTER_MICROS = 2_000_000;

/** How often is looked, while there is a reason. Milliseconds. */
const LOOK_EVERY_MS = 1_000;

const finders = new WeakMap<Connection, Orphans>();

/**
 * Ends transactions whose process was killed. MongoDB keeps them, and the places in streams that they have written to, for a minute; all who
 * write to those wait for as long, on whichever node. Nobody needs a right for it that a user does not have over their own sessions.
 */
export class Orphans {
  readonly #connection: Connection;
  #lookedAt = 0;

  /** One for each connection, so that all who wait share a look. */
  static of(connection: Connection): Orphans {
    const known = finders.get(connection) ?? new Orphans(connection);
    finders.set(connection, known);
    return known;
  }

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Does `work`, and looks for orphans where it takes long or loses against another writer. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const timer = setInterval(() => this.suspect(), LOOK_EVERY_MS);
    try {
      return await work();
    } catch (error) {
      if (serverCode(error) === WRITE_CONFLICT) this.suspect();
      throw error;
    } finally {
      clearInterval(timer);
    }
  }

  /** Something stands in a writer's way: looks, at most once a second, whether it is an orphan. */
  suspect(): void {
    const now = Date.now();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    // Without an answer the server's own minute is waited for; whoever writes meanwhile is told that the store does not take it.
    this.#end().catch(() => {});
  }

  async #end(): Promise<void> {
    const admin = this.#connection.getClient().db("admin");
    const orphaned = {
      type: "idleSession",
      "transaction.timeInactiveMicros": { $gt: ORPHANED_AFTER_MICROS },
      "clientMetadata.application.name": this.#connection.getClient().options.appName,
    };
    const found = await admin
      .aggregate<{ lsid: { id: mongo.Binary } }>(
        [{ $currentOp: { allUsers: false, idleSessions: true } }, { $match: orphaned }, { $project: { lsid: 1 } }],
        { readConcern: { level: "local" }, maxTimeMS: CALL_DEADLINE_MS },
      )
      .toArray();
    if (found.length > 0) await admin.command({ killSessions: found.map(({ lsid }) => ({ id: lsid.id })) });
  }
}
