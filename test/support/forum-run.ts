import { createHmac } from "node:crypto";
import { expect } from "@jest/globals";
import { type ExpectedRow, expectedForum } from "./expected-forum.js";
import { type Entry, Member, tokenFor, until } from "./member.js";
import type { Service } from "./service.js";

/** How long a post may go unanswered before it is sent again; a store that was killed is back in less. */
const RESEND_FOR_MS = 60_000;

/** What the service answered to one post. */
interface Answer {
  notified: Array<{ user: string; reason: string; id: string; seq: number }>;
  skipped: Array<{ user: string; why: string }>;
}

/** A pseudo-random source with a seed, so that a failing run can be run again (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Sends a webhook body as Discourse does. Resolves with the status and the answer. */
export async function sendHook(
  service: Service,
  body: object,
  event = "post_created",
  id?: string,
): Promise<{ status: number; answer: Answer }> {
  const raw = JSON.stringify(body);
  const response = await fetch(`${service.url}/v1/hooks/discourse`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-discourse-event": event,
      "x-discourse-event-type": "post",
      "x-discourse-instance": "https://forum.example",
      ...(id === undefined ? {} : { "x-discourse-event-id": id }),
      "x-discourse-event-signature": `sha256=${createHmac("sha256", service.discourseSecret).update(raw).digest("hex")}`,
    },
    body: raw,
  });
  return { status: response.status, answer: (await response.json()) as Answer };
}

/** Sends a body until it is answered 202, as a forum does: an unanswered or refused one is sent again. */
export async function sendUntilAccepted(service: Service, body: object, id: string): Promise<Answer> {
  const end = Date.now() + RESEND_FOR_MS;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const { status, answer } = await sendHook(service, body, "post_created", id);
      if (status === 202) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`post ${id} was not accepted in ${RESEND_FOR_MS} ms: ${JSON.stringify(last)} ${String(last)}`);
}

/** The members of the run: some connected all the time, some who come and go with a cursor, some who come at the end. */
export class Audience {
  readonly constant: Member[] = [];
  readonly fleeting: Member[] = [];
  readonly late: Member[] = [];

  constructor(bodies: object[], service: Service) {
    const where = { url: service.url, secret: service.jwtSecret };
    const users = [...new Set(bodies.map((body) => String((body as { post: { user_id: number } }).post.user_id)))];
    for (const [index, user] of users.entries()) {
      const group = [this.constant, this.fleeting, this.late][index % 3] as Member[];
      group.push(new Member(user, where));
    }
  }

  get all(): Member[] {
    return [...this.constant, ...this.fleeting, ...this.late];
  }

  async arrive(): Promise<void> {
    await Promise.all([...this.constant, ...this.fleeting].map((member) => member.connect().ready()));
  }

  /** One of those who come and go does so. */
  toggle(random: () => number): void {
    const member = this.fleeting[Math.floor(random() * this.fleeting.length)] as Member;
    if (member.connected) member.disconnect();
    else member.connect();
  }

  /** Everybody is connected and has what the store has. */
  async assemble(service: Service): Promise<void> {
    for (const member of this.fleeting) member.disconnect();
    await Promise.all([...this.fleeting, ...this.late].map((member) => member.connect().ready()));
    for (const member of this.all) {
      const stored = await storedStream(service, member.user);
      await until(
        () => `${member.user} has ${stored.length} entries, is at ${member.cursor?.seq}`,
        () => member.cursor?.seq === stored.length,
      );
    }
  }

  leave(): void {
    for (const member of this.all) member.disconnect();
  }
}

/** A member's whole stream, read over HTTP. */
export async function storedStream(service: Service, user: string): Promise<Entry[]> {
  const token = tokenFor(service.jwtSecret, { sub: user });
  const entries: Entry[] = [];
  let epoch = "";
  for (;;) {
    const after = epoch === "" ? "" : `?after=${encodeURIComponent(`${epoch}:${entries.at(-1)?.seq ?? 0}`)}`;
    const response = await fetch(`${service.url}/v1/me/stream${after}`, { headers: { authorization: `Bearer ${token}` } });
    const page = (await response.json()) as { epoch: string; entries: Entry[]; more: boolean };
    if (response.status !== 200) throw new Error(JSON.stringify(page));
    entries.push(...page.entries);
    epoch = page.epoch;
    if (!page.more) return entries;
  }
}

/** The store, and what every device made of it, is exactly what the posts call for. */
export async function expectExactly(bodies: object[], audience: Audience, service: Service, seed: number): Promise<void> {
  const rows = expectedForum(bodies);
  const byUser = new Map<string, ExpectedRow[]>();
  for (const row of rows) byUser.set(row.user, [...(byUser.get(row.user) ?? []), row]);
  const firstPosts = new Map<string, number>();
  for (const body of bodies) {
    const { post } = body as { post: { id: number; topic_id: number; post_number: number } };
    if (post.post_number === 1) firstPosts.set(String(post.topic_id), post.id);
  }
  const ids = new Set<string>();
  for (const member of audience.all) {
    const context = `member ${member.user}, seed ${seed}`;
    const expected = (byUser.get(member.user) ?? []).map(({ post, reason, actor }) => ({ post, reason, actor }));
    const stored = await storedStream(service, member.user);
    expect({ context, seqs: stored.map((entry) => entry.seq) }).toEqual({ context, seqs: stored.map((_, index) => index + 1) });
    expect({ context, unread: stored.map((entry) => entry.unread) }).toEqual({ context, unread: stored.map((_, index) => index + 1) });
    expect({ context, told: stored.map((entry) => toRow(entry, firstPosts)) }).toEqual({ context, told: expected });
    for (const entry of stored) ids.add(entry.data.id as string);
    expect({ context, unread: member.unread, seq: member.cursor?.seq ?? 0 }).toEqual({
      context,
      unread: stored.length,
      seq: stored.length,
    });
    // Whoever was there from the start has every entry; whoever came late has the newest of them.
    const applied = [...member.applied.values()];
    if (audience.late.includes(member)) expect(member.items.size).toBe(Math.min(50, stored.length));
    else expect({ context, applied }).toEqual({ context, applied: stored });
    const newest = stored.slice(-50).map((entry) => entry.data);
    for (const data of newest) expect(member.items.get(data.id as string)).toEqual(data);
  }
  expect(ids.size).toBe(rows.length);
}

/** Which post an entry is about: its comment, or else the first post of its thread. */
function toRow({ kind, data }: Entry, firstPosts: Map<string, number>): { post: number | undefined; reason: string; actor: string } {
  expect(kind).toBe("notification");
  const { comment, thread, reason, actor } = data as unknown as {
    comment?: { id: string };
    thread: { id: string };
    reason: string;
    actor: { id: string };
  };
  return { post: comment === undefined ? firstPosts.get(thread.id) : Number(comment.id), reason, actor: actor.id };
}
