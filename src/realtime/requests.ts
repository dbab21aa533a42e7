import type { TokenVerifier } from "../auth/index.js";
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
import type { StreamReader } from "../stream/index.js";
import type { DeviceCursors } from "./devices.js";
import type { MemberStream } from "./member-streams.js";

/** What a request may know of the session that it came in on. */
export interface Requester {
  readonly user: string;
  readonly device: string | null;
  source(name: StreamName): MemberStream;
  /** The session goes on with what the new token says. */
  renew(identity: Awaited<ReturnType<TokenVerifier["verify"]>>): void;
}

export interface RequestRooms {
  log: StreamReader;
  inbox: Inbox;
  devices: DeviceCursors;
  verifier: TokenVerifier;
}

type Handler = (requester: Requester, payload: unknown) => Promise<object>;

/** One handler for each client event of docs/PROTOCOL.md; it resolves with the answer's fields besides `ok`, or throws `BelfryError`. */
export function requestHandlers({ log, inbox, devices, verifier }: RequestRooms): ReadonlyMap<string, Handler> {
  const marks = (["read", "unread", "archive", "unarchive"] as const).map((verb): [string, Handler] => [
    verb,
    async ({ user }, payload) => inbox.mark(user, verb, parseIds(payload)),
  ]);
  const marksUpTo = (["read_all", "seen"] as const).map((verb): [string, Handler] => [
    verb,
    async ({ user }, payload) => inbox.markUpTo(user, verb, parseUpTo(payload ?? {})),
  ]);
  return new Map<string, Handler>([
    ["sync", async (requester, payload) => sync(requester, parseSync(payload))],
    ["list", async ({ user }, payload) => inbox.list(user, parseList(payload ?? {}))],
    ["ack", async (requester, payload) => ack(requester, parseAck(payload))],
    ["refresh", async (requester, payload) => refresh(requester, parseRefresh(payload))],
    ...marks,
    ...marksUpTo,
  ]);

  async function sync(requester: Requester, { stream, after, limit }: SyncRequest): Promise<object> {
    const source = requester.source(stream);
    const { entries, head, more } = await syncPage(log, source.stream, (entry) => source.encode(entry), after, limit);
    return { entries, head, more };
  }

  async function ack(requester: Requester, { stream, seq }: AckRequest): Promise<object> {
    const { user, device } = requester;
    if (device === null)
      throw new BelfryError("bad_request", "Only a connection with `auth.device` has a cursor to keep; connect with one.");
    const { head } = await log.tail(requester.source(stream).stream);
    if (seq > head) throw new BelfryError("bad_request", `\`seq\` is past the stream's head, which is ${head}.`);
    await devices.save(user, device, stream, { epoch: await log.epoch(), seq });
    return {};
  }

  async function refresh(requester: Requester, token: string): Promise<object> {
    const identity = await verifier.verify(token);
    if (identity.user !== requester.user) {
      throw new BelfryError("forbidden", "The new token is another member's; disconnect and connect with it instead.");
    }
    requester.renew(identity);
    return { expiresAt: new Date(identity.expiresAt).toISOString() };
  }
}
