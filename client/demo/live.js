// @ts-check
import { newest } from "./leaderboard.js";
import { handshakeOf, keepUp } from "./session.js";

/** What src/demo/leaderboard.ts writes. */
const LEADERBOARD = "demo/leaderboard";

/** Milliseconds to wait for an answer over the socket. */
const ANSWER_TIMEOUT = 8_000;

/**
 * Follows the live boards, on the connection that is there already.
 * @param {import("/socket.io/socket.io.esm.min.js").Manager} manager
 * @param {string} member
 * @param {{ onBoard: (data: unknown) => void, onOnline: (users: number | null) => void }} listeners
 *   `onOnline`: null while nobody knows
 * @returns {() => void} leaves them
 */
export function openLive(manager, member, { onBoard, onOnline }) {
  /** @type {import("./leaderboard.js").TopicValue | null} */
  let shown = null;
  /** @type {import("/socket.io/socket.io.esm.min.js").Socket} */
  const socket = manager.socket("/live", { auth: handshakeOf(member, () => socket) });

  /** @param {import("./leaderboard.js").TopicValue} value */
  function take(value) {
    const before = shown;
    shown = newest(shown, value);
    if (shown !== before) onBoard(shown.data);
  }

  async function join() {
    try {
      const answer = await socket.timeout(ANSWER_TIMEOUT).emitWithAck("join", { topics: [LEADERBOARD] });
      if (answer.ok && answer.topics[LEADERBOARD]) take(answer.topics[LEADERBOARD]);
    } catch {
      // No answer in time: what was shown stays until the next connection joins again.
    }
  }

  socket.on("connect", () => {
    // A service that was set back counts from where it was then.
    shown = null;
    void join();
  });
  socket.on("update", (update) => update.topic === LEADERBOARD && take(update));
  socket.on("online", ({ users }) => onOnline(users));
  socket.on("disconnect", () => onOnline(null));
  return keepUp(socket, () => {});
}
