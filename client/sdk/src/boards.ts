import type { Socket } from "socket.io-client";
import type { Belfry, Boards, BoardValue, RefusalFacts } from "./types.js";

/** For an answer. Milliseconds. */
const ANSWER_MS = 15_000;

interface Joined {
  readonly topics: readonly string[];
  readonly listener: (value: BoardValue) => void;
  readonly onRefused: ((refusal: RefusalFacts) => void) | undefined;
  /** The newest seq that was told, by topic. A service that was set back counts from where it was then, so each connection starts anew. */
  told: Map<string, number>;
}

/** One of each store: all of them would share one socket of `/live`, and the first to leave would leave for all. */
const known = new WeakMap<Belfry, Boards>();

/** Follows live boards over the connection that a `Belfry` has, for as long as somebody listens. The same for the same store. */
export function boardsOf(belfry: Belfry): Boards {
  const boards = known.get(belfry) ?? open(belfry);
  known.set(belfry, boards);
  return boards;
}

function open(belfry: Belfry): Boards {
  const joined = new Set<Joined>();
  const onlookers = new Set<(users: number | null) => void>();
  let socket: Socket | null = null;
  /** The member's newest. Who comes back to a connection gets its socket of before, which asks for this again. */
  let token = "";
  let users: number | null = null;
  let unfollow: (() => void) | null = null;

  function follow(): void {
    unfollow ??= belfry.onSession((session) => {
      if (session !== null) token = session.token;
      if (session?.isRenewed && socket !== null) {
        socket.emit("refresh", { token });
        return;
      }
      leave();
      tellOnline(null);
      if (session === null) return;
      const auth = (give: (auth: object) => void): void => give({ token });
      listenTo(session.socket.io.socket("/live", { auth }));
    });
  }

  function listenTo(opened: Socket): void {
    socket = opened;
    opened.on("connect", () => {
      for (const one of joined) {
        one.told = new Map();
        void ask(one);
      }
    });
    opened.on("update", (value: BoardValue) => {
      for (const one of joined) if (one.topics.includes(value.topic)) tell(one, value);
    });
    opened.on("online", (online: { users: number }) => tellOnline(online.users));
    // A session of `/live` that is refused or ended is back with the next connection.
    opened.on("connect_error", (error: Error & { data?: RefusalFacts }) => {
      if (error.data !== undefined) for (const one of joined) one.onRefused?.(error.data);
    });
    opened.on("disconnect", () => tellOnline(null));
  }

  async function ask(one: Joined): Promise<void> {
    const answer = await socket
      ?.timeout(ANSWER_MS)
      .emitWithAck("join", { topics: one.topics })
      // No answer in time: the next connection joins again.
      .catch(() => null);
    if (!joined.has(one)) return;
    if (answer?.ok === false) one.onRefused?.(answer.error);
    for (const [topic, value] of Object.entries<object | null>(answer?.topics ?? {})) {
      if (value !== null) tell(one, { ...value, topic } as BoardValue);
    }
  }

  function tell(one: Joined, value: BoardValue): void {
    if (value.seq <= (one.told.get(value.topic) ?? -1)) return;
    one.told.set(value.topic, value.seq);
    one.listener(value);
  }

  function tellOnline(now: number | null): void {
    users = now;
    for (const listener of onlookers) listener(now);
  }

  function release(): void {
    if (joined.size + onlookers.size > 0) return;
    unfollow?.();
    unfollow = null;
    leave();
  }

  function leave(): void {
    socket?.removeAllListeners();
    socket?.disconnect();
    socket = null;
  }

  return {
    join(topics, listener, onRefused) {
      const one: Joined = { topics: [...topics], listener, onRefused, told: new Map() };
      joined.add(one);
      if (unfollow === null) follow();
      else if (socket?.connected) void ask(one);
      return () => {
        joined.delete(one);
        const left = one.topics.filter((topic) => ![...joined].some((other) => other.topics.includes(topic)));
        if (left.length > 0 && socket?.connected) socket.emit("leave", { topics: left });
        release();
      };
    },
    onOnline(listener) {
      onlookers.add(listener);
      if (unfollow === null) follow();
      else listener(users);
      return () => {
        onlookers.delete(listener);
        release();
      };
    },
  };
}
