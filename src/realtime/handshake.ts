import type { Socket } from "socket.io";
import type { Identity, TokenVerifier } from "../auth/index.js";
import type { Config } from "../config/types.js";
import { asBelfryError, BelfryError } from "../errors.js";
import { parseHandshake, type StreamName } from "../inbox/requests.js";
import type { Cursor } from "../stream/index.js";
import type { DeviceCursors } from "./devices.js";
import type { Hub } from "./hub.js";
import { MAX_SESSIONS, MAX_SESSIONS_PER_USER, RETRY_CONNECT_MS } from "./limits.js";

/** What an accepted handshake established, kept with the socket. */
export interface Accepted {
  identity: Identity;
  device: string | null;
  cursors: Partial<Record<StreamName, Cursor>>;
}

export interface HandshakeRooms {
  config: Pick<Config, "allowedOrigins" | "sessionPolicy">;
  verifier: TokenVerifier;
  devices: DeviceCursors;
  hub: Hub;
  draining: () => boolean;
}

/** Decides on a connection. @throws BelfryError with a code of docs/PROTOCOL.md, "A refused connection". */
export async function accept(socket: Socket, rooms: HandshakeRooms): Promise<Accepted> {
  const { config, verifier, devices, hub } = rooms;
  if (rooms.draining()) throw new BelfryError("draining", "This node is stopping; connect again.", { retryAfterMs: RETRY_CONNECT_MS });
  refuseForeignOrigin(socket, config.allowedOrigins);
  const { token, cursors, device } = parseHandshake(socket.handshake.auth);
  const identity = await verifier.verify(token);
  const kept = device === null ? {} : await devices.load(identity.user, device);
  // Nothing is awaited after the count: of many that come at once, each counts those before it.
  if (hub.sessions >= MAX_SESSIONS) {
    throw new BelfryError("overloaded", "This node has all the connections it can carry.", { retryAfterMs: RETRY_CONNECT_MS });
  }
  if (config.sessionPolicy === "multi" && hub.sessionsOf(identity.user).size >= MAX_SESSIONS_PER_USER) {
    const message = `At most ${MAX_SESSIONS_PER_USER} connections of one member; close one.`;
    throw new BelfryError("too_many_connections", message, { retryAfterMs: RETRY_CONNECT_MS });
  }
  return { identity, device, cursors: { ...kept, ...cursors } };
}

/** Browsers name the page's origin; a page that the operator did not allow must not use a member's connection. Other clients name none. */
function refuseForeignOrigin(socket: Socket, allowed: string[]): void {
  const { origin, host } = socket.handshake.headers;
  if (origin === undefined || allowed.includes("*") || allowed.includes(origin)) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new BelfryError("origin_denied", "Pages of this origin may not connect; its operator can allow it in ALLOWED_ORIGINS.");
}

/** A refusal in the form that Socket.IO passes on as `connect_error`. To a client, a store that is away is a service at its limit. */
export function refusal(thrown: unknown): Error & { data: object } {
  const known = asBelfryError(thrown);
  const away = known.code === "unavailable" || known.code === "internal";
  const error = away
    ? new BelfryError("overloaded", "The service cannot take the connection now.", { retryAfterMs: RETRY_CONNECT_MS })
    : known;
  const data = { ...error.toBody(), retry: error.retry };
  return Object.assign(new Error(error.message), { data });
}
