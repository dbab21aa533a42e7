// @ts-check
import { getToken } from "./api.js";

/** Milliseconds between attempts to come back: 1 to 5 s with jitter, so that a restarted service is not stormed. */
export const RETRY = { reconnectionDelay: 1_000, reconnectionDelayMax: 5_000, randomizationFactor: 0.5 };

/**
 * @typedef {import("/socket.io/socket.io.esm.min.js").Socket} Socket
 * @typedef {{ is: "connecting" | "connected" | "reconnecting" | "stopped", text: string }} Status
 */

/**
 * A handshake with a fresh token for every attempt.
 * @param {string} member
 * @param {() => Socket} socket whose handshake it is
 * @param {() => object} [more] what goes with the token
 * @returns {(send: (auth: object) => void) => void}
 */
export function handshakeOf(member, socket, more = () => ({})) {
  return (send) => {
    getToken(member).then(
      (token) => send({ token, ...more() }),
      // Closing the transport starts the next attempt after the usual delay.
      () => socket().io.engine.close(),
    );
  };
}

/** @param {() => void} act @param {number} ms @returns {ReturnType<typeof setTimeout>} */
export function soon(act, ms) {
  return setTimeout(act, ms * (1 + Math.random() * RETRY.randomizationFactor));
}

/**
 * Brings a namespace back whenever it is lost, unless the service has said not to.
 * @param {Socket} socket
 * @param {(status: Status) => void} tell
 * @returns {() => void} leaves it for good
 */
export function keepUp(socket, tell) {
  let stopped = false;
  let comeBackAfter = RETRY.reconnectionDelay;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {number} ms */
  function connectIn(ms) {
    clearTimeout(timer);
    timer = soon(() => socket.connect(), ms);
  }

  socket.on("connect", () => {
    stopped = false;
  });

  socket.on("goodbye", ({ code, message, reconnect, afterMs }) => {
    comeBackAfter = afterMs ?? RETRY.reconnectionDelay;
    if (reconnect) return;
    stopped = true;
    tell({ is: "stopped", text: message || `The service ended this session (${code}).` });
    socket.disconnect();
  });

  socket.on("disconnect", (reason) => {
    if (stopped) return;
    tell({ is: "reconnecting", text: "Connection lost. Reconnecting…" });
    // Socket.IO itself comes back from a lost transport; a session that the service ended, it leaves to us.
    if (reason === "io server disconnect") connectIn(comeBackAfter);
  });

  socket.on("connect_error", (error) => {
    const refusal = /** @type {{ data?: { message: string, retry: boolean, retryAfterMs?: number } }} */ (error).data;
    if (refusal?.retry === false) {
      stopped = true;
      tell({ is: "stopped", text: refusal.message });
      return;
    }
    tell({ is: "reconnecting", text: refusal ? `${refusal.message} Trying again…` : "The service cannot be reached. Trying again…" });
    // Socket.IO itself tries again after a lost transport (then `active`), but not after a refusal.
    if (!socket.active) connectIn(refusal?.retryAfterMs ?? RETRY.reconnectionDelay);
  });

  return () => {
    clearTimeout(timer);
    socket.removeAllListeners();
    socket.disconnect();
  };
}
