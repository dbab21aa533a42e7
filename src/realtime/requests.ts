import type { Announcements, AnnouncementView } from "../announcements/index.js";
import type { Identity, TokenVerifier } from "../auth/index.js";
import { BelfryError } from "../errors.js";
import { type Inbox, syncPage } from "../inbox/index.js";
import {
  type AckRequest,
  parseAck,
  parseIds,
  parseList,
  parseRefresh,
  parseSync,
  parseUpTo,
  type StreamName,
  type SyncRequest,
} from "../inbox/requests.js";
import { type MemberRecord, type Members, refuseBanned } from "../members/index.js";
import type { Messages } from "../messages/index.js";
import type { Preferences } from "../preferences/index.js";
import type { StreamReader } from "../stream/index.js";
import type { DeviceCursors } from "./devices.js";
import type { MemberStream } from "./member-streams.js";

/** What a request may know of the session that it came in on. */
export interface Requester {
  readonly user: string;
  readonly name: string | null;
  readonly device: string | null;
  /** The announcements as this session has been shown them. */
  readonly announcements: AnnouncementView;
  source(name: StreamName): MemberStream;
  /** The session goes on with what the new token says. */
  renew(identity: Identity, member: MemberRecord): Promise<void>;
}

export interface RequestRooms {
  log: StreamReader;
  inbox: Inbox;
  announcements: Pick<Announcements, "settle" | "seen">;
  members: Pick<Members, "arrive">;
  messages: Pick<Messages, "send">;
  preferences: Pick<Preferences, "setLevel" | "setBlock">;
  devices: DeviceCursors;
  verifier: TokenVerifier;
}

type Handler = (requester: Requester, payload: unknown) => Promise<object>;

/** One handler for each client event of docs/PROTOCOL.md; it resolves with the answer's fields besides `ok`, or throws `BelfryError`. */
export function requestHandlers(rooms: RequestRooms): ReadonlyMap<string, Handler> {
  const { log, inbox, announcements, members, messages, preferences, devices, verifier } = rooms;
  const marks = (["read", "unread", "archive", "unarchive"] as const).map((verb): [string, Handler] => [
    verb,
    async ({ user }, payload) => inbox.mark(user, verb, parseIds(payload)),
  ]);
  const settlings = (["dismiss", "acknowledge"] as const).map((verb): [string, Handler] => [
    verb,
    async (requester, payload) => announcements.settle(requester.user, verb, fieldOf(payload, "announcement"), requester.announcements),
  ]);
  const blocks = (["block", "unblock"] as const).map((verb): [string, Handler] => [
    verb,
    async ({ user }, payload) => preferences.setBlock(user, fieldOf(payload, "user"), verb === "block"),
  ]);
  return new Map<string, Handler>([
    ["sync", async (requester, payload) => sync(requester, parseSync(payload))],
    ["list", async ({ user }, payload) => inbox.list(user, parseList(payload ?? {}))],
    ["ack", async (requester, payload) => ack(requester, parseAck(payload))],
    ["read_all", async ({ user }, payload) => inbox.markUpTo(user, "read_all", parseUpTo(payload ?? {}))],
    ["seen", async ({ user }, payload) => seen(user, parseUpTo(payload ?? {}))],
    ["send", async ({ user, name }, payload) => messages.send({ user, name }, payload)],
    ["level", async ({ user }, payload) => preferences.setLevel(user, payload)],
    ["refresh", async (requester, payload) => refresh(requester, parseRefresh(payload))],
    ...marks,
    ...settlings,
    ...blocks,
  ]);

  async function sync(requester: Requester, { stream, after, limit }: SyncRequest): Promise<object> {
    const source = requester.source(stream);
    const { entries, head, more } = await syncPage(log, source, after, limit);
    return { entries, head, more };
  }

  async function ack(requester: Requester, { stream, seq }: AckRequest): Promise<object> {
    const { user, device } = requester;
    if (device === null)
      throw new BelfryError("bad_request", "Only a connection with `auth.device` has a cursor to keep; connect with one.");
    const source = requester.source(stream);
    const { head } = await log.tail(source.stream);
    if (seq > head) throw new BelfryError("bad_request", `\`seq\` is past the stream's head, which is ${head}.`);
    await devices.save(user, device, stream, { epoch: source.epochOf(await log.epoch()), seq });
    return {};
  }

  /** Whoever has seen their inbox to its end has seen what stands above it, too. */
  async function seen(user: string, upTo: number | undefined): Promise<object> {
    const isEnd = upTo === undefined || upTo >= (await log.tail(inbox.streamOf(user))).head;
    const answer = await inbox.markUpTo(user, "seen", upTo);
    if (isEnd) await announcements.seen(user);
    return answer;
  }

  async function refresh(requester: Requester, token: string): Promise<object> {
    const identity = await verifier.verify(token);
    if (identity.user !== requester.user) {
      throw new BelfryError("forbidden", "The new token is another member's; disconnect and connect with it instead.");
    }
    const member = await members.arrive(identity);
    refuseBanned(member, Date.now());
    await requester.renew(identity, member);
    return { expiresAt: new Date(identity.expiresAt).toISOString() };
  }
}

/** A field of whatever the client sent. */
export function fieldOf(payload: unknown, name: string): unknown {
  return (Object(payload) as Record<string, unknown>)[name];
}
