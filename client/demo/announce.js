// @ts-check
import { io } from "/socket.io/socket.io.esm.min.js";
import { getToken } from "./api.js";

/** The demo's moderator, whose token opens `/moderation`. */
const MODERATOR = "mia";

/** Milliseconds until an announcement that was not taken counts as failed. */
const TIMEOUT = 8_000;

/** Milliseconds until what was tried out goes by itself. */
const LIFETIME = 3_600_000;

/**
 * Makes an announcement as a moderator's console would. Called again with the same draft it announces nothing twice.
 * @param {{ title: string, text: string, level: string, mandatory: boolean, key: string }} draft
 * @returns {Promise<void>}
 * @throws Error with the service's words
 */
export async function announce(draft) {
  const token = await getToken(MODERATOR);
  const socket = io("/moderation", { auth: { token }, forceNew: true, reconnection: false });
  try {
    const refused = new Promise((_resolve, reject) => socket.once("connect_error", reject));
    const expiresAt = new Date(Date.now() + LIFETIME).toISOString();
    const asked = socket.timeout(TIMEOUT).emitWithAck("announce", { ...draft, expiresAt });
    const answer = /** @type {{ ok: boolean, error?: { message: string } }} */ (await Promise.race([asked, refused]));
    if (!answer.ok) throw new Error(answer.error?.message);
  } finally {
    socket.disconnect();
  }
}
