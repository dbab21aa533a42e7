import type { IncomingMessage } from "node:http";
import type { Namespace, Socket } from "socket.io";
import { type Identity, rankOf, type TokenVerifier } from "../auth/index.js";
import type { Config } from "../config/types.js";
import { asBelfryError, BelfryError } from "../errors.js";
import { parseHandshake, type StreamName } from "../inbox/requests.js";
import { type MemberRecord, type Members, refuseBanned } from "../members/index.js";
import type { Actor, Moderation } from "../moderation/index.js";
import type { Cursor } from "../stream/index.js";
import { type Admission, type Opening, stopping } from "./admission.js";
import { whenGone } from "./connection.js";
import type { DeviceCursors } from "./devices.js";
import { RETRY_CONNECT_MS } from "./limits.js";
import type { Seats } from "./seats.js";

/** What an accepted handshake with `/notifications` established, kept with the socket. */
export interface Accepted {
  identity: Identity;
  member: MemberRecord;
  device: string | null;
  cursors: Partial<Record<StreamName, Cursor>>;
  /** The session's place at the gate, which it gives back when it is open. */
  opening: Opening;
}

/** The same of `/moderation`. */
export interface AcceptedModerator {
  identity: Identity;
  actor: Actor;
}

export interface HandshakeRooms {
  config: Pick<Config, "allowedOrigins" | "sessionPolicy" | "guests">;
  verifier: TokenVerifier;
  members: Pick<Members, "arrive">;
  moderation: Pick<Moderation, "guard">;
  devices: DeviceCursors;
  seats: Seats;
  admission: Admission;
  /** Where a request comes from: a network address, or null. */
  addressOf: (request: IncomingMessage) => string | null;
  draining: () => boolean;
}

/** Decides on a connection to `/notifications`. @throws BelfryError with a code of docs/PROTOCOL.md, "A refused connection". */
export async function admitMember(socket: Socket, rooms: HandshakeRooms): Promise<Accepted> {
  refuseAtTheDoor(socket, rooms);
  const { token, cursors, device } = parseHandshake(socket.handshake.auth);
  const { identity, opening } = await comeIn(socket, token, rooms);
  try {
    const member = await meet(identity, rooms);
    const kept = device === null ? {} : await rooms.devices.load(identity.user, device);
    // With one session a member, the newest takes the older one's place.
    rooms.seats.take(socket, identity.user, rooms.config.sessionPolicy === "single" ? Number.POSITIVE_INFINITY : undefined);
    return { identity, member, device, cursors: { ...kept, ...cursors }, opening };
  } catch (error) {
    opening.done();
    throw error;
  }
}

/** Decides on a connection to `/live`: who it is, or null for a guest. @throws BelfryError as `admitMember` does. */
export async function admitLive(socket: Socket, rooms: HandshakeRooms): Promise<Identity | null> {
  refuseAtTheDoor(socket, rooms);
  const token = tokenOf(socket);
  if (rooms.config.guests && (token === undefined || token === null || token === "")) {
    rooms.seats.take(socket, null);
    return null;
  }
  return identify(socket, token, rooms, async (identity) => {
    rooms.seats.take(socket, identity.user);
    return identity;
  });
}

/** Decides on a connection to `/moderation`; an attempt without the role stands in the audit log. @throws BelfryError as `admitMember` does. */
export async function admitModerator(socket: Socket, rooms: HandshakeRooms): Promise<AcceptedModerator> {
  refuseAtTheDoor(socket, rooms);
  return identify(socket, tokenOf(socket), rooms, async (identity) => {
    const actor: Actor = { by: identity.user, rank: rankOf(identity.roles), from: rooms.addressOf(socket.request) };
    await rooms.moderation.guard(actor, { act: "connect" }, async () => {});
    rooms.seats.take(socket, identity.user);
    return { identity, actor };
  });
}

/** Lets into a namespace whom `admit` lets in, and keeps with the socket what that established. */
export function guardNamespace<T>(namespace: Namespace, admit: (socket: Socket) => Promise<T>): void {
  namespace.use((socket, next) => {
    admit(socket).then(
      (accepted) => {
        socket.data = accepted;
        next();
      },
      (error) => next(refusal(error)),
    );
  });
}

/** A refusal in the form that Socket.IO passes on as `connect_error`. */
export function refusal(thrown: unknown): Error & { data: object } {
  const error = worded(asBelfryError(thrown));
  const data = { ...error.toBody(), retry: error.retry };
  return Object.assign(new Error(error.message), { data });
}

/** The same with a code that a refused connection may have. To a client, a store that is away is a service at its limit. */
function worded(error: BelfryError): BelfryError {
  switch (error.code) {
    case "forbidden":
      return new BelfryError("unauthorized", error.message);
    case "unavailable":
    case "internal":
      return new BelfryError("overloaded", "The service cannot take the connection now.", { retryAfterMs: RETRY_CONNECT_MS });
    case "rate_limited":
      return new BelfryError("overloaded", error.message, { retryAfterMs: error.retryAfterMs ?? RETRY_CONNECT_MS });
    default:
      return error;
  }
}

/** What needs no token to be refused. */
function refuseAtTheDoor(socket: Socket, { config, draining }: HandshakeRooms): void {
  if (draining()) throw stopping();
  refuseForeignOrigin(socket, config.allowedOrigins);
}

/** Browsers name the page's origin; a page that the operator did not allow must not use a member's connection. Other clients name none. */
function refuseForeignOrigin(socket: Socket, allowed: string[]): void {
  const { origin, host } = socket.handshake.headers;
  if (origin === undefined || allowed.includes("*") || allowed.includes(origin)) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new BelfryError("origin_denied", "Pages of this origin may not connect; its operator can allow it in ALLOWED_ORIGINS.");
}

/** Whose token it is, and a place at the gate: what comes after it costs the store. */
async function comeIn(
  socket: Socket,
  token: unknown,
  { verifier, admission }: HandshakeRooms,
): Promise<{ identity: Identity; opening: Opening }> {
  const identity = await verifier.verify(token);
  return { identity, opening: await admission.enter((left) => whenGone(socket, left)) };
}

/** Makes known who comes; a banned member is refused. */
async function meet(identity: Identity, { members }: HandshakeRooms): Promise<MemberRecord> {
  const member = await members.arrive(identity);
  refuseBanned(member, Date.now());
  return member;
}

/** Decides on somebody whose session costs nothing once it is accepted. */
async function identify<T>(socket: Socket, token: unknown, rooms: HandshakeRooms, decide: (identity: Identity) => Promise<T>): Promise<T> {
  const { identity, opening } = await comeIn(socket, token, rooms);
  try {
    await meet(identity, rooms);
    return await decide(identity);
  } finally {
    opening.done();
  }
}

/** Socket.IO gives an empty object where the client set nothing, and whatever the client set otherwise. */
function tokenOf(socket: Socket): unknown {
  return Object(socket.handshake.auth).token;
}
