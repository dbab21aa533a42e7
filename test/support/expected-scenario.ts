import type { Post, Step } from "./forum-scenario.js";

/**
 * Works out, from the steps of a scenario alone, what every member's inbox must show at its end. Written from the rules; imports nothing of
 * `src`, so that an error there cannot be repeated here.
 *
 * The rules, besides those of expected-forum.ts:
 *   an edit tells those whom its text mentions and who have no notification of the post
 *   a deleted post's notifications are gone, until it is restored
 *   who has muted the thread, or blocks the author, at the time of a post or an edit, gets nothing from it
 *   a ban or a mute changes nothing of what a member is told: it is about what reaches their screens, and what they may send
 */
export interface ShownRow {
  post: number;
  reason: string;
  actor: string;
}

const MENTION = /(?<![\p{L}\p{N}_/.@])@([A-Za-z0-9_][A-Za-z0-9_.-]*[A-Za-z0-9_]|[A-Za-z0-9_])/gu;
const QUOTE = /\[quote="([^",\]]+),\s*post:(\d+),\s*topic:(\d+)[^\]]*"\](.*?)\[\/quote\]/gsu;

/** What each member's inbox shows, oldest first, by user; members who see nothing are left out. */
export function expectedInboxes(steps: Step[]): Map<string, ShownRow[]> {
  const memberOf = new Map<string, string>();
  const authorOf = new Map<string, string>();
  const blocked = new Set<string>();
  const muted = new Set<string>();
  const told: Array<ShownRow & { user: string }> = [];
  const gone = new Set<number>();

  const tell = (post: Post, chosen: Map<string, string>) => {
    const actor = String(post.user_id);
    for (const [user, reason] of chosen) {
      const has = told.some((row) => row.user === user && row.post === post.id);
      if (user === actor || has || blocked.has(`${user}/${actor}`) || muted.has(`${user}/${post.topic_id}`)) continue;
      told.push({ user, post: post.id, reason, actor });
    }
  };
  const mentioned = (post: Post) =>
    [...post.raw.replace(QUOTE, " ").matchAll(MENTION)].map(([, name]) => memberOf.get((name as string).toLowerCase()));
  const choose = () => {
    const chosen = new Map<string, string>();
    const add = (user: string | undefined, reason: string) => {
      if (user !== undefined && !chosen.has(user)) chosen.set(user, reason);
    };
    return { chosen, add };
  };

  for (const step of steps) {
    if (step.is === "block") blocked.add(`${step.user}/${step.other}`);
    else if (step.is === "mute-thread") muted.add(`${step.user}/${step.thread}`);
    if (step.is !== "hook") continue;
    const { event, post } = step;
    const { chosen, add } = choose();
    if (event === "post_created") {
      memberOf.set(post.username.toLowerCase(), String(post.user_id));
      authorOf.set(`${post.topic_id}/${post.post_number}`, String(post.user_id));
      for (const user of mentioned(post)) add(user, "mention");
      if (post.reply_to_post_number !== null) add(authorOf.get(`${post.topic_id}/${post.reply_to_post_number}`), "reply");
      for (const [, name] of post.raw.matchAll(QUOTE)) add(memberOf.get((name as string).toLowerCase()), "quote");
      if (post.post_number > 1) add(authorOf.get(`${post.topic_id}/1`), "comment");
      tell(post, chosen);
    } else if (event === "post_edited") {
      for (const user of mentioned(post)) add(user, "mention");
      tell(post, chosen);
    } else if (event === "post_destroyed") gone.add(post.id);
    else gone.delete(post.id);
  }

  const shown = new Map<string, ShownRow[]>();
  for (const { user, ...row } of told) {
    if (!gone.has(row.post)) shown.set(user, [...(shown.get(user) ?? []), row]);
  }
  return shown;
}
