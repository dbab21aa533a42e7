import type { io as Io, Socket } from "socket.io-client";
import type { Address } from "./address.js";
import { waitFor } from "./backoff.js";
import { BelfryRefusal, OFFLINE } from "./refusal.js";
import { claimsOf, type Tokens, useFor } from "./tokens.js";
import type { RefusalFacts, Session, Status } from "./types.js";
import type { Cursor, StreamEvent, StreamName, Welcome } from "./wire.js";

/** From an attempt's first step to the service's welcome. Threat: a half-open network, on which nothing ever fails. Milliseconds. */
const OPEN_MS = 20_000;

/** For an answer, before the connection counts as lost. Milliseconds. */
const ANSWER_MS = 15_000;

/** For the answer that tells, after sleep, whether the connection is still there. Milliseconds. */
const PROBE_MS = 5_000;

/** From a refresh that failed to the next one, and the least before any: a clock that jumps must not make a storm of them. Milliseconds. */
const RENEW_AGAIN_MS = 5_000;

/** A timer that is longer fires at once. Milliseconds. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const UNREACHABLE = "The service cannot be reached.";

/** What the service says when it refuses a connection or ends one. */
interface Farewell extends RefusalFacts {
  readonly retry?: boolean;
  readonly reconnect?: boolean;
  readonly afterMs?: number;
}

type Answer = { readonly [field: string]: unknown };

export interface LinkOptions {
  /** Null: the one that was given is none. */
  address: Address | null;
  tokens: Tokens;
  /** The cursors to go on from. */
  cursors: () => { readonly [stream in StreamName]?: Cursor | null };
  /** Whose the next connection is, before it is made; what is known of somebody else has no place on it. */
  onUser: (user: string | undefined) => Promise<void>;
  /** Throws where it cannot make sense of it. */
  onEvent: (event: StreamEvent) => void;
  onStatus: (status: Status) => void;
  /** For what else wants to use the connection. */
  onSession: (session: Session | null) => void;
  /** Of socket.io-client. */
  io: typeof Io;
}

export interface Link {
  readonly status: Status;
  /** Milliseconds since 1970 by the service's clock, as far as it is known. */
  serverNow(): number;
  /** Asks once. @throws BelfryRefusal the service's, or `offline` where there is no connection or no answer came */
  ask(event: string, payload: object): Promise<Answer>;
  /** Something may have changed (sleep, network, a page that is looked at again): checks the connection, or tries again at once. */
  wake(): void;
  /** Tries now, with a fresh token; the first attempt too. */
  reconnect(): void;
  close(): void;
}

/** Keeps a connection to `/notifications` for as long as the service allows it. */
export function openLink(options: LinkOptions): Link {
  const { address, tokens, cursors, onUser, onEvent, onStatus, onSession, io } = options;
  let status: Status = { is: "connecting", since: Date.now(), synced: false };
  let socket: Socket | null = null;
  let isOpen = false;
  /** Counts attempts: what an earlier one still brings is not heard. */
  let attempts = 0;
  let failures = 0;
  /** The service does not want to be asked before. Milliseconds since 1970. */
  let notBefore = 0;
  let serverAhead = 0;
  /** Streams of which the service has more than it has sent. */
  let awaited = new Set<unknown>();
  /** Of this attempt, and of the session that it leads to. */
  let timers: Array<ReturnType<typeof setTimeout>> = [];

  const serverNow = (): number => Date.now() + serverAhead;

  function after(ms: number, act: () => unknown): void {
    timers.push(setTimeout(() => void act(), Math.min(ms, LONGEST_TIMER_MS)));
  }

  function tell(is: Status["is"], more?: Partial<Status>): void {
    status = { synced: false, ...more, is, since: is === status.is ? status.since : Date.now() };
    onStatus(status);
  }

  function drop(): void {
    attempts++;
    timers.forEach(clearTimeout);
    timers = [];
    const left = socket;
    const wasOpen = isOpen;
    socket = null;
    isOpen = false;
    left?.removeAllListeners();
    left?.disconnect();
    if (!wasOpen) return;
    onSession(null);
    onEvent({ type: "offline" });
  }

  /** The connection is gone, or was not made. Comes back after a while, unless the service does not want that. */
  function leave({ code, message, retry, reconnect, retryAfterMs, afterMs }: Farewell): void {
    drop();
    const isExpired = code === "token_expired";
    if (isExpired) tokens.spoil();
    if ([retry, reconnect, !isExpired || tokens.canRenew].includes(false)) {
      tell("stopped", { code, message });
      return;
    }
    failures++;
    const notBeforeMs = retryAfterMs ?? afterMs ?? 0;
    const wait = waitFor(failures, notBeforeMs, Math.random);
    notBefore = Date.now() + notBeforeMs;
    after(wait, attempt);
    tell("offline", { code, message, retryAt: Date.now() + wait });
  }

  const isLost = (message = UNREACHABLE): void => leave({ code: "unreachable", message });
  const isStrange = (): void => leave({ code: "incompatible", message: "What answers is no Belfry, or an old one." });

  async function attempt(): Promise<void> {
    drop();
    const mine = attempts;
    after(OPEN_MS, () => isOpen || isLost());
    try {
      const token = await tokens.get(serverNow());
      if (mine === attempts) await onUser(claimsOf(token).user);
      if (mine === attempts) open(token);
    } catch (error) {
      const { code, message } = error as BelfryRefusal;
      if (mine === attempts) leave({ code, message, retry: tokens.canRenew });
    }
  }

  function open(token: string): void {
    if (address === null) {
      leave({ code: "bad_url", message: "The address must begin with http:// or https://.", retry: false });
      return;
    }
    const made = io(`${address.origin}/notifications`, {
      path: address.path,
      forceNew: true,
      reconnection: false,
      timeout: OPEN_MS,
      // Where something on the way swallows WebSockets, every second attempt comes through all the same.
      transports: failures % 2 ? ["polling", "websocket"] : ["websocket", "polling"],
      tryAllTransports: true,
      auth: { token, cursors: cursors() },
    });
    socket = made;
    made.on("connect_error", ({ data, message, description }: Error & { data?: Farewell; description?: unknown }) => {
      if (data?.code) leave(data);
      // A status of HTTP, which Engine.IO tells so.
      else if (message === "Invalid namespace" || (description as number) < 500) isStrange();
      else isLost();
    });
    made.on("disconnect", () => isLost("The connection was lost."));
    made.on("goodbye", leave);
    for (const type of ["welcome", "snapshot", "entries", "synced", "progress"]) {
      made.on(type, (payload) => {
        try {
          if (type === "welcome") welcome(payload, token);
          onEvent({ ...payload, type });
        } catch {
          isStrange();
        }
        if (socket !== made) return;
        if (type === "welcome") {
          tell("online");
          onSession({ socket: made, token, isRenewed: false });
        }
        if (type !== "synced" || !awaited.delete(payload.stream) || awaited.size > 0) return;
        // Not at the welcome: a service that lets in and cuts off at once would be stormed.
        failures = 0;
        tell("online", { synced: true });
      });
    }
  }

  /** @throws where it is no welcome */
  function welcome({ serverTime, streams }: Welcome, token: string): void {
    awaited = new Set(Object.keys(streams));
    serverAhead = new Date(serverTime).getTime() - Date.now() || 0;
    isOpen = true;
    planRenewal(token);
  }

  function planRenewal(token: string): void {
    const wait = Math.max(useFor(claimsOf(token).expiresAt - serverNow()), RENEW_AGAIN_MS);
    // A token that does not say when it expires is not renewed.
    if (tokens.canRenew && wait > 0) after(wait, renew);
  }

  async function renew(): Promise<void> {
    const mine = attempts;
    const asked = socket as Socket;
    tokens.spoil();
    try {
      const token = await tokens.get(serverNow());
      if (mine === attempts) await ask("refresh", { token });
      if (mine !== attempts) return;
      onSession({ socket: asked, token, isRenewed: true });
      planRenewal(token);
    } catch {
      // The session lasts until the old token ends; then the next connection says what is wrong.
      if (mine === attempts) after(RENEW_AGAIN_MS, renew);
    }
  }

  async function ask(event: string, payload: object, ms = ANSWER_MS): Promise<Answer> {
    const asked = socket;
    if (asked === null || !isOpen) throw OFFLINE;
    const answer = await asked
      .timeout(ms)
      .emitWithAck(event, payload)
      .catch(() => {
        if (asked === socket) isLost();
        throw OFFLINE;
      });
    if (answer?.ok) return answer;
    throw new BelfryRefusal({ code: "internal", message: UNREACHABLE, ...answer?.error });
  }

  return {
    get status() {
      return status;
    },
    serverNow,
    ask,
    wake() {
      const { inbox } = cursors();
      if (isOpen && inbox) void ask("sync", { stream: "inbox", after: inbox, limit: 1 }, PROBE_MS).catch(() => {});
      else if (status.is === "offline" && Date.now() >= notBefore) void attempt();
    },
    reconnect() {
      if (status.code === "closed") return;
      failures = 0;
      tokens.spoil();
      tell("connecting");
      void attempt();
    },
    close() {
      leave({ code: "closed", message: "It was closed.", retry: false });
    },
  };
}
