import { seeded } from "./forum-run.js";

/** A Discourse post, as far as a scenario changes or reads it. */
export interface Post {
  id: number;
  user_id: number;
  username: string;
  topic_id: number;
  post_number: number;
  reply_to_post_number: number | null;
  raw: string;
  version: number;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
}

/** One thing that happens in the forum or that a member or a moderator does. They happen one after the other. */
export type Step =
  | { is: "hook"; event: "post_created" | "post_edited" | "post_destroyed" | "post_recovered"; post: Post }
  | { is: "block"; user: string; other: string }
  | { is: "mute-thread"; user: string; thread: string }
  | { is: "ban" | "unban" | "mute"; user: string };

/** Shares of the posts that are edited and deleted later; half of the deleted ones come back. */
const EDITED = 0.01;
const DELETED = 0.01;

const BANS = 3;
const MUTES = 2;
const BLOCKS = 10;
const MUTED_THREADS = 5;

/**
 * The forum's posts with what a community does besides: posts edited, deleted and restored, members banned (one for good, the others for a
 * while) and muted, blocks, and threads muted. Everything is chosen by the seed.
 */
export function forumScenario(bodies: object[], seed: number): Step[] {
  const random = seeded(seed);
  const below = (count: number) => Math.floor(random() * count);
  const posts = bodies.map((body) => (body as { post: Post }).post);
  const users = [...new Set(posts.map(({ user_id }) => String(user_id)))];
  const names = [...new Map(posts.map(({ username }) => [username.toLowerCase(), username])).values()];
  // Members who write and are written to much, so that what is done to them matters.
  const active = mostOf(posts.map(({ user_id }) => String(user_id))).slice(0, 20);
  const threads = mostOf(posts.map(({ topic_id }) => String(topic_id))).slice(0, 20);
  /** What happens right after which post, by its index. */
  const later = new Map<number, Step[]>();
  const after = (index: number, step: Step) => later.set(index, [...(later.get(index) ?? []), step]);
  const laterThan = (index: number) => index + below(posts.length - index);

  posts.forEach((post, index) => {
    const fate = random();
    if (fate < EDITED) {
      const mentioned = [names[below(names.length)], names[below(names.length)]].map((name) => `@${name}`).join(" and ");
      const edited = { ...post, raw: `${post.raw}\n\nAlso for ${mentioned}.`, version: post.version + 1, updated_at: hoursAfter(post, 1) };
      after(laterThan(index), { is: "hook", event: "post_edited", post: edited });
    } else if (fate < EDITED + DELETED) {
      const gone = laterThan(index);
      after(gone, {
        is: "hook",
        event: "post_destroyed",
        post: { ...post, deleted_at: hoursAfter(post, 1), updated_at: hoursAfter(post, 1) },
      });
      if (random() < 0.5)
        after(laterThan(gone), { is: "hook", event: "post_recovered", post: { ...post, updated_at: hoursAfter(post, 2) } });
    }
  });
  // Whoever is banned can neither block anybody nor mute a thread.
  const banned = Array.from({ length: BANS }, (_, count) => active[count * 3] as string);
  const free = active.filter((user) => !banned.includes(user));
  for (const [count, user] of banned.entries()) {
    const at = below(Math.floor(posts.length / 2));
    after(at, { is: "ban", user });
    if (count > 0) after(laterThan(at), { is: "unban", user });
  }
  for (let count = 0; count < MUTES; count++) after(below(posts.length), { is: "mute", user: active[count * 3 + 1] as string });
  for (let count = 0; count < BLOCKS; count++) {
    const user = free[below(free.length)] as string;
    const other = [...active, ...users].filter((one) => one !== user)[below(active.length)] as string;
    after(below(posts.length / 4), { is: "block", user, other });
  }
  const starts = threads.map((thread) => posts.findIndex(({ topic_id }) => String(topic_id) === thread));
  const mutable = starts.filter((index) => !banned.includes(String((posts[index] as Post).user_id)));
  for (const index of mutable.slice(0, MUTED_THREADS)) {
    const { user_id, topic_id } = posts[index] as Post;
    after(index, { is: "mute-thread", user: String(user_id), thread: String(topic_id) });
  }
  return posts.flatMap((post, index): Step[] => [{ is: "hook", event: "post_created", post }, ...(later.get(index) ?? [])]);
}

/** The different values, commonest first. */
function mostOf(values: string[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([, one], [, other]) => other - one).map(([value]) => value);
}

function hoursAfter({ created_at }: Post, hours: number): string {
  return new Date(Date.parse(created_at) + hours * 3_600_000).toISOString();
}
