import type { Logger } from "pino";
import type { Socket } from "socket.io";
import type { Identity } from "../auth/index.js";
import type { Actor } from "../moderation/index.js";
import type { AcceptedModerator } from "./handshake.js";
import { Intake, unknownEvent } from "./intake.js";
import { MAX_BUFFERED_BYTES, STALL_MS } from "./limits.js";
import type { Moderator, moderationHandlers } from "./moderation-requests.js";
import { type Farewell, FLOODED, Outlet, SLOW, TOKEN_EXPIRED } from "./outlet.js";
import type { Packet } from "./packet.js";

export interface ModerationSessionOptions {
  socket: Socket;
  accepted: AcceptedModerator;
  handlers: ReturnType<typeof moderationHandlers>;
  slowConsumer: () => void;
  logger: Logger;
}

/** One connection of one moderator: what they ask for, and the acts of all moderators as they are done. */
export class ModerationSession implements Moderator {
  readonly user: string;
  readonly connection: object;
  readonly #outlet: Outlet;
  readonly #intake: Intake;
  readonly #slowConsumer: () => void;
  #actor: Actor;
  #expiresAt: number;
  #ended = false;

  constructor({ socket, accepted, handlers, slowConsumer, logger }: ModerationSessionOptions) {
    this.user = accepted.identity.user;
    this.connection = socket.conn;
    this.#actor = accepted.actor;
    this.#expiresAt = accepted.identity.expiresAt;
    this.#slowConsumer = slowConsumer;
    this.#outlet = new Outlet(socket, "/moderation");
    this.#intake = new Intake({
      socket,
      outlet: this.#outlet,
      handle: async (event, payload) => {
        const handler = handlers.get(event);
        if (handler === undefined) throw unknownEvent(event);
        return { answer: await handler(this, payload) };
      },
      onFlood: () => this.end(FLOODED),
      onSlow: () => this.#endSlow(),
      logger,
    });
  }

  get actor(): Actor {
    return this.#actor;
  }

  renew({ expiresAt }: Identity, rank: NonNullable<Actor["rank"]>): void {
    this.#expiresAt = expiresAt;
    this.#actor = { ...this.#actor, rank };
  }

  /** What happened is shown. Whoever does not read loses the session, not an act: the audit log has them all. */
  tell(packet: Packet): void {
    if (this.#outlet.bufferedBytes() > MAX_BUFFERED_BYTES) this.#endSlow();
    else this.#outlet.writeEncoded(packet);
  }

  /** What time brings: expiry and stalls. Called about once a second. */
  sweep(now: number): void {
    if (now >= this.#expiresAt) this.end(TOKEN_EXPIRED);
    else if (this.#outlet.stalledFor(now) > STALL_MS) this.#endSlow();
  }

  /** Resolves when what the client asked until now is answered. */
  settled(): Promise<void> {
    return this.#intake.settled();
  }

  /** Ends the session with a farewell. Harmless when it has ended. */
  end(farewell: Farewell): void {
    if (this.#ended) return;
    this.#outlet.close(farewell);
    this.ended();
  }

  /** The connection is gone. */
  ended(): void {
    this.#ended = true;
    this.#outlet.closed();
    this.#intake.close();
  }

  #endSlow(): void {
    if (this.#ended) return;
    this.#slowConsumer();
    this.end(SLOW);
  }
}
