// @ts-check
/**
 * The demo forum's own calls.
 *
 * @typedef {{ id: string, name: string, colour: string }} Member
 * @typedef {{ id: string, parent: string | null, author: string, text: string, at: string }} Comment
 * @typedef {{ id: string, author: string, title: string, text: string, at: string, comments: Comment[] }} Thread
 */

/** What the service says of a failed call, in its own words. */
class CallFailed extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * @param {string} path
 * @param {{ body?: unknown, token?: string }} [options]
 * @returns {Promise<any>}
 * @throws {CallFailed}
 */
async function call(path, { body, token } = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (token !== undefined) headers.Authorization = `Bearer ${token}`;
  let response;
  try {
    response = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new CallFailed("unreachable", "The service cannot be reached. Try again in a moment.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok)
    throw new CallFailed(answer.code ?? "internal", answer.detail ?? answer.title ?? `The service answered ${response.status}.`);
  return answer;
}

/** @returns {Promise<Member[]>} */
export async function getMembers() {
  return (await call("/demo/members")).members;
}

/** @returns {Promise<Thread[]>} */
export async function getThreads() {
  return (await call("/demo/threads")).threads;
}

/**
 * @param {string} member
 * @returns {Promise<string>} a token of the member's
 */
export async function getToken(member) {
  return (await call("/demo/session", { body: { member } })).token;
}

/**
 * @param {string} member who writes
 * @param {string} thread
 * @param {string} text
 * @param {string | null} parent the comment that this one answers
 * @returns {Promise<Comment>}
 */
export async function postComment(member, thread, text, parent) {
  // A fresh token for every comment: writing is rare, and nothing has to watch an expiry.
  const token = await getToken(member);
  return (await call(`/demo/threads/${encodeURIComponent(thread)}/comments`, { token, body: { text, parent } })).comment;
}

/**
 * Starts an export for the member, or finds the one that runs.
 * @param {string} member
 * @returns {Promise<string>} the task's id
 */
export async function startExport(member) {
  return (await call("/demo/exports", { token: await getToken(member), body: {} })).task;
}
