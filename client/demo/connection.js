// @ts-check
import { io } from "/socket.io/socket.io.esm.min.js";
import { applyToAnnouncements, emptyAnnouncements } from "./announcements.js";
import { apply, emptyInbox, fromStored, toStored } from "./inbox.js";
import { handshakeOf, keepUp, RETRY, soon } from "./session.js";
import { takeProgress } from "./tasks.js";

/** Milliseconds to wait for an answer over the socket. */
const ANSWER_TIMEOUT = 8_000;

/**
 * What the service has said, as far as this page knows.
 * @typedef {object} Known
 * @property {import("./inbox.js").Inbox} inbox
 * @property {import("./announcements.js").Announcements} announcements
 * @property {readonly import("./tasks.js").Progress[]} tasks
 * @property {import("./session.js").Status} status
 *
 * @typedef {object} Connection
 * @property {import("/socket.io/socket.io.esm.min.js").Manager} manager What other namespaces share the connection by.
 * @property {(event: string, payload: object) => Promise<void>} act Sends a mark; what it changed comes back in the streams.
 * @property {() => void} close
 */

/**
 * Keeps a member's streams up to date for as long as the page is open. The inbox also over visits: its cursor and items are in localStorage.
 * Announcements are few, so each connection starts with a snapshot of them, which knows all that other devices have settled.
 * @param {string} member
 * @param {(known: Known, before: Known) => void} onChange
 * @returns {Connection}
 */
export function openConnection(member, onChange) {
  const key = `belfry-demo:${member}`;
  /** @type {Known} */
  let known = {
    inbox: fromStored(read(key)),
    announcements: emptyAnnouncements(),
    tasks: [],
    status: { is: "connecting", text: "Connecting…" },
  };
  /** Streams that are being filled. @type {Set<string>} */
  const filling = new Set();
  /** @type {Map<string, ReturnType<typeof setTimeout>>} */
  const timers = new Map();

  /** @type {import("/socket.io/socket.io.esm.min.js").Socket} */
  const socket = io("/notifications", {
    ...RETRY,
    forceNew: true,
    auth: handshakeOf(
      member,
      () => socket,
      () => (known.inbox.cursor === null ? {} : { cursors: { inbox: known.inbox.cursor } }),
    ),
  });

  /** @param {Partial<Known>} changed */
  function change(changed) {
    const before = known;
    known = { ...known, ...changed };
    onChange(known, before);
  }

  /** @param {import("./stream.js").StreamEvent} event @param {Partial<Known>} [more] */
  function take(event, more) {
    const inbox = apply(known.inbox, event);
    if (inbox.cursor !== known.inbox.cursor || inbox.unread !== known.inbox.unread) write(key, toStored(inbox));
    change({ inbox, announcements: applyToAnnouncements(known.announcements, event, inbox.settled), ...more });
    if (known.inbox.gap) void fill("inbox");
    if (known.announcements.gap) void fill("announcements");
  }

  /** Asks for what is missing after the cursor until nothing is. @param {"inbox" | "announcements"} stream */
  async function fill(stream) {
    if (filling.has(stream) || !socket.connected) return;
    filling.add(stream);
    let wait = 1_000;
    try {
      for (let more = true; more || known[stream].gap; ) {
        const after = known[stream].cursor;
        if (after === null) break;
        const answer = await socket.timeout(ANSWER_TIMEOUT).emitWithAck("sync", { stream, after });
        if (!answer.ok) {
          if (answer.error.code === "reset") startAfresh();
          wait = answer.error.retryAfterMs ?? wait;
          break;
        }
        more = answer.more && answer.entries.length > 0;
        take({ type: "entries", stream, epoch: after.epoch, entries: answer.entries });
      }
    } catch {
      // No answer in time: the timer below tries again, or the next connection replays.
    } finally {
      filling.delete(stream);
      if (known[stream].gap) {
        clearTimeout(timers.get(stream));
        timers.set(
          stream,
          soon(() => void fill(stream), wait),
        );
      }
    }
  }

  /** Drops what is known; the next welcome then brings snapshots. */
  function startAfresh() {
    known = { ...known, inbox: emptyInbox(), announcements: emptyAnnouncements() };
    socket.disconnect().connect();
  }

  socket.on("welcome", (payload) => {
    // Where each running task is follows now.
    take({ ...payload, type: "welcome" }, { tasks: [], status: { is: "connected", text: "Connected" } });
  });
  for (const type of /** @type {const} */ (["snapshot", "entries", "synced"])) {
    socket.on(type, (payload) => take({ ...payload, type }));
  }
  socket.on("progress", (progress) => change({ tasks: takeProgress(known.tasks, progress) }));
  socket.on("disconnect", () => take({ type: "offline" }));
  const leave = keepUp(socket, (status) => change({ status }));

  onChange(known, known);
  return {
    manager: socket.io,
    async act(event, payload) {
      if (!socket.connected) throw new Error("Not connected. Marks can be set again once the connection is back.");
      const answer = await socket.timeout(ANSWER_TIMEOUT).emitWithAck(event, payload);
      if (!answer.ok) throw new Error(answer.error.message);
    },
    close() {
      for (const timer of timers.values()) clearTimeout(timer);
      leave();
    },
  };
}

/** @param {string} key */
function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string | null} text */
function write(key, text) {
  try {
    if (text !== null) localStorage.setItem(key, text);
  } catch {
    // Full or forbidden: what is stored would be older than the cursor, so the next visit must start from a snapshot.
    try {
      localStorage.removeItem(key);
    } catch {
      // Nothing was stored, so nothing is stale.
    }
  }
}
