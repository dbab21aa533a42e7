import type { Socket } from "socket.io";
import { BelfryError } from "../errors.js";
import { whenGone } from "./connection.js";
import { MAX_GUESTS, MAX_SESSIONS, MAX_SESSIONS_PER_USER, RETRY_CONNECT_MS } from "./limits.js";

/**
 * The places that a node has for sessions. One is taken when a handshake is accepted, before the session begins, so that of many that come
 * at once each counts those before it.
 */
export class Seats {
  #taken = 0;
  /** By namespace and member. */
  readonly #byHolder = new Map<string, number>();

  /**
   * A place for a session of the member, or of a guest (null), until the socket is gone.
   * @param perUser how many places one member may have in the socket's namespace.
   * @throws BelfryError `overloaded`, `too_many_connections`
   */
  take(socket: Socket, user: string | null, perUser = MAX_SESSIONS_PER_USER): void {
    const holder = `${socket.nsp.name} ${user ?? ""}`;
    const held = this.#byHolder.get(holder) ?? 0;
    if (this.#taken >= MAX_SESSIONS || (user === null && held >= MAX_GUESTS)) {
      throw new BelfryError("overloaded", "This node has all the connections it can carry.", { retryAfterMs: RETRY_CONNECT_MS });
    }
    if (user !== null && held >= perUser) {
      throw new BelfryError("too_many_connections", `At most ${perUser} connections of one member; close one.`, {
        retryAfterMs: RETRY_CONNECT_MS,
      });
    }
    // A connection that was lost meanwhile is not let in, and says nothing of its end any more.
    if (socket.conn.readyState !== "open") return;
    this.#taken++;
    this.#byHolder.set(holder, held + 1);
    whenGone(socket, () => this.#giveBack(holder));
  }

  #giveBack(holder: string): void {
    this.#taken--;
    const held = (this.#byHolder.get(holder) ?? 1) - 1;
    if (held === 0) this.#byHolder.delete(holder);
    else this.#byHolder.set(holder, held);
  }
}
