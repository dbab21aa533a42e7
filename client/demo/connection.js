// @ts-check
import { io } from "/socket.io/socket.io.esm.min.js";
import { getToken } from "./api.js";
import { apply, emptyInbox, fromStored, toStored } from "./inbox.js";

/** Milliseconds between attempts to come back: 1 to 5 s with jitter, so that a restarted service is not stormed. */
const RETRY = { reconnectionDelay: 1_000, reconnectionDelayMax: 5_000, randomizationFactor: 0.5 };

/** Milliseconds to wait for an answer over the socket. */
const ANSWER_TIMEOUT = 8_000;

/**
 * @typedef {import("./inbox.js").Inbox} Inbox
 * @typedef {{ is: "connecting" | "connected" | "reconnecting" | "stopped", text: string }} Status
 * @typedef {object} Connection
 * @property {(event: string, payload: object) => Promise<void>} act Sends a mark; what it changed comes back in the stream.
 * @property {() => void} close
 */

/**
 * Keeps a member's inbox up to date for as long as the page is open, and over visits: cursor and items are in localStorage.
 * @param {string} member
 * @param {(inbox: Inbox, status: Status, before: Inbox) => void} onChange
 * @returns {Connection}
 */
export function openConnection(member, onChange) {
  const key = `belfry-demo:${member}`;
  let inbox = fromStored(read(key));
  /** @type {Status} */
  let status = { is: "connecting", text: "Connecting…" };
  let filling = false;
  let comeBackAfter = RETRY.reconnectionDelay;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const socket = io("/notifications", {
    ...RETRY,
    forceNew: true,
    auth: (send) => {
      getToken(member).then(
        (token) => send({ token, ...(inbox.cursor && { cursors: { inbox: inbox.cursor } }) }),
        // Closing the transport starts the next attempt after the usual delay.
        () => socket.io.engine.close(),
      );
    },
  });

  /** @param {import("./inbox.js").InboxEvent} event */
  function take(event) {
    const before = inbox;
    inbox = apply(inbox, event);
    write(key, toStored(inbox));
    onChange(inbox, status, before);
    if (inbox.gap) void fill();
  }

  /** @param {Status["is"]} is @param {string} text */
  function tell(is, text) {
    status = { is, text };
    onChange(inbox, status, inbox);
  }

  /** Asks for what is missing after the cursor until nothing is. */
  async function fill() {
    if (filling || !socket.connected || inbox.cursor === null) return;
    filling = true;
    let wait = 1_000;
    try {
      for (let more = true; more || inbox.gap; ) {
        const after = inbox.cursor;
        const answer = await socket.timeout(ANSWER_TIMEOUT).emitWithAck("sync", { stream: "inbox", after });
        if (!answer.ok) {
          if (answer.error.code === "reset") startAfresh();
          wait = answer.error.retryAfterMs ?? wait;
          break;
        }
        more = answer.more && answer.entries.length > 0;
        take({ type: "entries", stream: "inbox", epoch: after.epoch, entries: answer.entries });
      }
    } catch {
      // No answer in time: the timer below tries again, or the next connection replays.
    } finally {
      filling = false;
      if (inbox.gap) again(() => void fill(), wait);
    }
  }

  /** Drops what is known; the next welcome then brings a snapshot. */
  function startAfresh() {
    inbox = emptyInbox();
    socket.disconnect().connect();
  }

  /** @param {() => void} act @param {number} ms */
  function again(act, ms) {
    clearTimeout(timer);
    timer = setTimeout(act, ms * (1 + Math.random() * RETRY.randomizationFactor));
  }

  socket.on("welcome", (payload) => {
    status = { is: "connected", text: "Connected" };
    take({ ...payload, type: "welcome" });
  });
  for (const type of /** @type {const} */ (["snapshot", "entries", "synced"])) {
    socket.on(type, (payload) => take({ ...payload, type }));
  }

  socket.on("goodbye", ({ code, message, reconnect, afterMs }) => {
    comeBackAfter = afterMs ?? RETRY.reconnectionDelay;
    if (reconnect) return;
    tell("stopped", message || `The service ended this session (${code}).`);
    socket.disconnect();
  });

  socket.on("disconnect", (reason) => {
    if (status.is !== "stopped") status = { is: "reconnecting", text: "Connection lost. Reconnecting…" };
    take({ type: "offline" });
    // Socket.IO itself comes back from a lost transport; a session that the service ended, it leaves to us.
    if (reason === "io server disconnect" && status.is !== "stopped") again(() => socket.connect(), comeBackAfter);
  });

  socket.on("connect_error", (error) => {
    const refusal = /** @type {{ data?: { message: string, retry: boolean, retryAfterMs?: number } }} */ (error).data;
    if (refusal?.retry === false) {
      tell("stopped", refusal.message);
      return;
    }
    tell("reconnecting", refusal ? `${refusal.message} Trying again…` : "The service cannot be reached. Trying again…");
    // Socket.IO itself tries again after a lost transport (then `active`), but not after a refusal.
    if (!socket.active) again(() => socket.connect(), refusal?.retryAfterMs ?? RETRY.reconnectionDelay);
  });

  onChange(inbox, status, inbox);
  return {
    async act(event, payload) {
      if (!socket.connected) throw new Error("Not connected. Marks can be set again once the connection is back.");
      const answer = await socket.timeout(ANSWER_TIMEOUT).emitWithAck(event, payload);
      if (!answer.ok) throw new Error(answer.error.message);
    },
    close() {
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.disconnect();
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
