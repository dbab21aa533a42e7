import { expectedInboxes } from "./expected-scenario.js";
import { seeded } from "./forum-run.js";
import type { Post, Step } from "./forum-scenario.js";
import { expectedFromEvents, type ForumEvent, type Told, type Wish } from "./seeds-expected.js";

/** Posts of one run, which stand together in the forum: so they answer each other. */
const POSTS = 100;

/** Threads are dealt to so many lanes; the first tells the service by Discourse's hooks, the others by events. */
const LANES = 4;

/** Shares of the posts that are edited, and deleted, later in their lane. */
const EDITED = 0.06;
const DELETED = 0.06;

/** Members who block an author, and who mute a thread, of whom they would be told. */
const BLOCKS = 3;
const MUTED_THREADS = 2;

/** A call of a server that is repeated until it is answered with success. */
export type ForumCall =
  | { is: "hook"; id: string; event: string; post: Post }
  | { is: "event"; body: ForumEvent }
  | { is: "settings"; wish: Wish };

/** A part of the forum's data, what is done with it, and what must come of it. The seed fixes all. */
export interface ForumPart {
  /** Wishes of members, which are known before the first post. */
  wishes: ForumCall[];
  /** Each lane's calls come one after the other, the lanes side by side. */
  lanes: ForumCall[][];
  /** What every member is told, by user, one list for each lane in its order. */
  expected: Map<string, Told[][]>;
  /** Everybody who is told, or not told, of something here; those with most of it first. */
  users: string[];
}

/** What is known of the whole forum, whichever part of it a run takes. */
interface Forum {
  posts: Post[];
  userOf: Map<string, string>;
  authorOf: Map<string, string>;
}

/** The part of the forum that belongs to the seed. `bodies`: all webhook bodies of the forum, in order of time. */
export function forumPart(bodies: object[], seed: number): ForumPart {
  const random = seeded(seed);
  const forum = forumOf(bodies);
  const start = Math.floor(random() * (forum.posts.length - POSTS));
  const dealt: Post[][] = Array.from({ length: LANES }, () => []);
  for (const post of forum.posts.slice(start, start + POSTS)) (dealt[post.topic_id % LANES] as Post[]).push(post);
  const [ofHooks = [], ...ofEvents] = dealt;

  const hooks = withLater(random, ofHooks, {
    created: (post): Step => ({ is: "hook", event: "post_created", post }),
    edited: (post): Step => ({ is: "hook", event: "post_edited", post: editedPost(post, random, forum) }),
    deleted: (post): Step => ({ is: "hook", event: "post_destroyed", post: { ...post, deleted_at: post.updated_at } }),
  });
  const events = ofEvents.map((posts) =>
    withLater(random, posts, {
      created: (post) => createdEvent(post, forum),
      edited: (post) => editedEvent(post, random, forum),
      deleted: (post): ForumEvent => ({ id: `gone-${post.id}`, type: "comment.deleted", comment: { id: String(post.id) } }),
    }),
  );

  const wishes = wishesFor(random, [toldOfHooks(hooks, []), ...events.map((lane) => expectedFromEvents(lane, []))], forum);
  const told = [toldOfHooks(hooks, wishes), ...events.map((lane) => expectedFromEvents(lane, wishes))];
  const expected = new Map<string, Told[][]>();
  for (const user of new Set([...told.flatMap((lane) => [...lane.keys()]), ...wishes.map((wish) => wish.user)])) {
    expected.set(
      user,
      told.map((lane) => lane.get(user) ?? []),
    );
  }
  const count = (user: string): number => (expected.get(user) ?? []).flat().length;
  return {
    wishes: wishes.map((wish) => ({ is: "settings", wish })),
    lanes: [
      hooks.flatMap((step, index): ForumCall[] =>
        step.is === "hook" ? [{ is: "hook", id: `hook-${index}`, event: step.event, post: step.post }] : [],
      ),
      ...events.map((lane) => lane.map((body): ForumCall => ({ is: "event", body }))),
    ],
    expected,
    users: [...expected.keys()].sort((one, other) => count(other) - count(one)),
  };
}

function forumOf(bodies: object[]): Forum {
  const posts = bodies.map((body) => (body as { post: Post }).post);
  return {
    posts,
    userOf: new Map(posts.map(({ username, user_id }) => [username.toLowerCase(), String(user_id)])),
    authorOf: new Map(posts.map(({ topic_id, post_number, user_id }) => [`${topic_id}/${post_number}`, String(user_id)])),
  };
}

/** Each post's creation in its order, and after some of them, at a random place, what becomes of it. A thread's first post only begins. */
function withLater<T>(random: () => number, posts: Post[], make: Record<"created" | "edited" | "deleted", (post: Post) => T>): T[] {
  const later = new Map<number, T[]>();
  for (const [index, post] of posts.entries()) {
    const fate = random();
    if (post.post_number === 1 || fate >= EDITED + DELETED) continue;
    const at = index + Math.floor(random() * (posts.length - index));
    later.set(at, [...(later.get(at) ?? []), fate < EDITED ? make.edited(post) : make.deleted(post)]);
  }
  return posts.flatMap((post, index) => [make.created(post), ...(later.get(index) ?? [])]);
}

function editedPost(post: Post, random: () => number, { posts }: Forum): Post {
  const { username } = posts[Math.floor(random() * posts.length)] as Post;
  return { ...post, raw: `${post.raw}\n\nAlso for @${username}.`, version: post.version + 1 };
}

const MENTION = /(?<![\p{L}\p{N}_/.@])@([A-Za-z0-9_][A-Za-z0-9_.-]*[A-Za-z0-9_]|[A-Za-z0-9_])/gu;
const QUOTE = /\[quote="([^",\]]+),\s*post:(\d+),\s*topic:(\d+)[^\]]*"\](.*?)\[\/quote\]/gsu;

function createdEvent(post: Post, { userOf, authorOf }: Forum): ForumEvent {
  const known = (names: Iterable<RegExpMatchArray>): string[] =>
    [...new Set(Array.from(names, ([, name]) => userOf.get((name as string).toLowerCase())))].filter((user) => user !== undefined);
  const mentions = known(post.raw.replace(QUOTE, " ").matchAll(MENTION));
  const quotes = known(post.raw.matchAll(QUOTE));
  const excerpt = post.raw.slice(0, 100);
  const actor = { id: String(post.user_id), name: `Member ${post.user_id}` };
  const thread = { id: String(post.topic_id), title: `Topic ${post.topic_id}` };
  if (post.post_number === 1) {
    return { id: `post-${post.id}`, type: "thread.created", actor, thread: { ...thread, mentions, quotes, excerpt } };
  }
  const parentAuthor = authorOf.get(`${post.topic_id}/${post.reply_to_post_number}`);
  const author = authorOf.get(`${post.topic_id}/1`);
  return {
    id: `post-${post.id}`,
    type: "comment.created",
    actor,
    thread: author === undefined ? thread : { ...thread, author },
    comment: { id: String(post.id), mentions, quotes, excerpt, ...(parentAuthor === undefined ? {} : { parentAuthor }) },
  };
}

function editedEvent(post: Post, random: () => number, forum: Forum): ForumEvent {
  const { comment, ...event } = createdEvent(post, forum);
  const other = String((forum.posts[Math.floor(random() * forum.posts.length)] as Post).user_id);
  const mentions = [...new Set([...(comment?.mentions ?? []), other])];
  return { ...event, id: `edit-${post.id}`, type: "comment.updated", comment: { id: String(post.id), mentions } };
}

function toldOfHooks(hooks: Step[], wishes: Wish[]): Map<string, Told[]> {
  const before = wishes.map(
    (wish): Step =>
      wish.is === "block"
        ? { is: "block", user: wish.user, other: wish.other }
        : { is: "mute-thread", user: wish.user, thread: wish.thread },
  );
  const shown = expectedInboxes([...before, ...hooks]);
  const posts = new Map(hooks.flatMap((step) => (step.is === "hook" ? [[step.post.id, step.post] as const] : [])));
  const rows = (user: string): Told[] =>
    (shown.get(user) ?? []).map(({ post, reason, actor }) => ({ about: aboutOf(posts.get(post) as Post), reason, actor }));
  return new Map(Array.from(shown.keys(), (user) => [user, rows(user)]));
}

/** Wishes that matter: each takes something away that the member would be told of without it. */
function wishesFor(random: () => number, lanes: Array<Map<string, Told[]>>, { posts }: Forum): Wish[] {
  const rows = lanes.flatMap((lane) => [...lane].flatMap(([user, told]) => told.map((one) => ({ user, ...one }))));
  const any = () => rows[Math.floor(random() * rows.length)] as Told & { user: string };
  const threadOf = ({ about }: Told): string => String(posts.find((post) => aboutOf(post) === about)?.topic_id);
  const blocks = Array.from({ length: BLOCKS }, any).map(({ user, actor }): Wish => ({ is: "block", user, other: actor }));
  const mutes = Array.from({ length: MUTED_THREADS }, any).map((row): Wish => ({ is: "mute", user: row.user, thread: threadOf(row) }));
  return [...blocks, ...mutes];
}

/** A thread's first post is the thread itself. */
function aboutOf({ id, topic_id, post_number }: Post): string {
  return post_number === 1 ? `thread ${topic_id}` : `post ${id}`;
}
