/** What the demo's forum says and takes; times are RFC 3339. */

export interface Member {
  readonly id: string;
  readonly name: string;
  /** CSS hex colour of the member's disc. */
  readonly colour: string;
}

export interface Comment {
  readonly id: string;
  /** The comment that it answers. */
  readonly parent: string | null;
  /** A member's id. */
  readonly author: string;
  readonly text: string;
  readonly at: string;
  readonly editedAt: string | null;
}

export interface Thread {
  readonly id: string;
  readonly author: string;
  readonly title: string;
  readonly text: string;
  readonly at: string;
  /** Oldest first. */
  readonly comments: readonly Comment[];
}

/** The longest comment. Source: the forum, which refuses a longer one. */
export const MAX_TEXT_LENGTH = 2_000;

/** For an answer. Milliseconds. */
const ANSWER_MS = 15_000;

/** @throws Error whose message is for the member */
async function call<Answer>(method: string, path: string, token: string | null, body?: object): Promise<Answer> {
  const headers: Record<string, string> = {};
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await within(fetch(path, { method, headers, ...(body && { body: JSON.stringify(body) }) }));
  } catch {
    throw new Error("The forum cannot be reached. What you wrote is still here.");
  }
  if (response.status === 204) return undefined as Answer;
  const answer = (await response.json().catch(() => null)) as { detail?: string; title?: string } | null;
  if (response.ok && answer !== null) return answer as Answer;
  throw new Error(answer?.detail ?? answer?.title ?? `The forum answered with status ${response.status}.`);
}

function within(answer: Promise<Response>): Promise<Response> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("No answer came.")), ANSWER_MS);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

export async function membersOf(): Promise<Member[]> {
  return (await call<{ members: Member[] }>("GET", "/demo/members", null)).members;
}

/** Whether anybody may be the moderator here. */
export async function hasModerator(): Promise<boolean> {
  return (await call<{ moderator: object | null }>("GET", "/demo/members", null)).moderator !== null;
}

/** A fresh token of a member. Anybody gets one: that is what makes it a demo. */
export async function signIn(member: string): Promise<string> {
  return (await call<{ token: string }>("POST", "/demo/session", null, { member })).token;
}

/** Newest first. */
export async function threads(): Promise<Thread[]> {
  return (await call<{ threads: Thread[] }>("GET", "/demo/threads", null)).threads;
}

/** What a member does in the forum. */
export class Forum {
  readonly #member: string;

  constructor(member: string) {
    this.#member = member;
  }

  comment(thread: string, text: string, parent: string | null): Promise<{ comment: Comment }> {
    return this.#call("POST", `/demo/threads/${encodeURIComponent(thread)}/comments`, { text, parent });
  }

  edit(comment: string, text: string): Promise<{ comment: Comment }> {
    return this.#call("PATCH", `/demo/comments/${encodeURIComponent(comment)}`, { text });
  }

  remove(comment: string): Promise<void> {
    return this.#call("DELETE", `/demo/comments/${encodeURIComponent(comment)}`);
  }

  /** Starts something that takes a while. */
  startExport(): Promise<{ task: string }> {
    return this.#call("POST", "/demo/exports", {});
  }

  /** With a token of its own, so that none is ever too old. */
  async #call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    return call<Answer>(method, path, await signIn(this.#member), body);
  }
}
