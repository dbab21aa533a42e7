import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createGunzip } from "node:zlib";

/**
 * Works out, from Discourse `post_created` bodies alone, which notification each member must get. It is written from the rules and imports
 * nothing of `src`, so that an error there cannot be repeated here.
 *
 * The rules, per post P by author A in topic T (post number 1 by the topic's author O):
 *   mention  a member named with @username in the text, outside quotes
 *   reply    the author of the post that P replies to (reply_to_post_number)
 *   quote    a member quoted in P
 *   comment  O, when P is a later post of T
 * A gets nothing for their own post; one post gives a member at most one notification, with the first reason that fits, in the order above.
 * A username counts as known from the first post that its owner wrote (that post included).
 */
export interface ExpectedRow {
  user: string;
  post: number;
  reason: "mention" | "reply" | "quote" | "comment";
  actor: string;
}

interface Post {
  id: number;
  user_id: number;
  username: string;
  topic_id: number;
  post_number: number;
  reply_to_post_number: number | null;
  raw: string;
}

const FORUM = new URL("../../examples/forum/posts-2022-2024.jsonl.gz", import.meta.url);
const MENTION = /(?<![\p{L}\p{N}_/.@])@([A-Za-z0-9_][A-Za-z0-9_.-]*[A-Za-z0-9_]|[A-Za-z0-9_])/gu;
const QUOTE = /\[quote="([^",\]]+),\s*post:(\d+),\s*topic:(\d+)[^\]]*"\](.*?)\[\/quote\]/gsu;

/** The webhook bodies of the example forum, in order of time. */
export async function readForum(): Promise<object[]> {
  const bodies: object[] = [];
  const text = createReadStream(fileURLToPath(FORUM)).pipe(createGunzip());
  for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line !== "") bodies.push(JSON.parse(line) as object);
  }
  return bodies;
}

/** The notifications that these webhook bodies, in this order, must cause; those of one post in order of precedence. */
export function expectedForum(bodies: object[]): ExpectedRow[] {
  const rows: ExpectedRow[] = [];
  const memberOf = new Map<string, string>();
  const authorOf = new Map<string, string>();
  for (const body of bodies) {
    const { post } = body as { post: Post };
    const actor = String(post.user_id);
    memberOf.set(post.username.toLowerCase(), actor);
    authorOf.set(`${post.topic_id}/${post.post_number}`, actor);

    const chosen = new Map<string, ExpectedRow["reason"]>();
    const add = (user: string | undefined, reason: ExpectedRow["reason"]) => {
      if (user !== undefined && user !== actor && !chosen.has(user)) chosen.set(user, reason);
    };
    for (const [, name] of post.raw.replace(QUOTE, " ").matchAll(MENTION)) add(memberOf.get((name as string).toLowerCase()), "mention");
    if (post.reply_to_post_number !== null) add(authorOf.get(`${post.topic_id}/${post.reply_to_post_number}`), "reply");
    for (const [, name] of post.raw.matchAll(QUOTE)) add(memberOf.get((name as string).toLowerCase()), "quote");
    if (post.post_number > 1) add(authorOf.get(`${post.topic_id}/1`), "comment");
    for (const [user, reason] of chosen) rows.push({ user, post: post.id, reason, actor });
  }
  return rows;
}
