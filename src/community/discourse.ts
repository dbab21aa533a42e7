import { createHash } from "node:crypto";
import { cutText, fault, MAX_ID_LENGTH, MAX_NAME_LENGTH } from "../checked.js";
import type { Community } from "./community.js";
import { forumUserOf, type PlacedPost, placedPostOf, tagsOf, type WrittenPost, writtenPostOf } from "./discourse-schema.js";
import { avatarUrl, baseOf, topicUrl } from "./discourse-urls.js";
import { mentionedIn, splitQuotes } from "./mentions.js";
import { foldSpace } from "./text.js";
import type { DirectoryStore, DomainEvent, EventAnswer, KnownMember, Person, Skipped } from "./types.js";

/** Characters of a post that are shown with a notification. */
const EXCERPT_LENGTH = 200;

/**
 * Different names looked up for mentions, and for quotes, in one post. Threat: a post of nothing but names turns one request into 100,000
 * look-ups. Discourse itself allows ten mentions a post.
 */
const MAX_NAMES_PER_POST = 500;

/** A webhook as it came, its signature already verified. */
export interface DiscourseHook {
  /** `X-Discourse-Event`. */
  event: string;
  /** `X-Discourse-Event-Id`. */
  eventId: string | null;
  /** `X-Discourse-Instance`: the forum's address. */
  instance: string;
  /** The decoded body. */
  body: unknown;
}

/** Where a hook came from: `name` stands in ids, `base` in URLs. */
interface Source {
  name: string;
  base: string | null;
}

/** What of a post concerns other people. */
type Concern = Pick<DomainEvent, "mentions" | "quotes" | "skipped"> & { parentAuthor?: string; threadAuthor?: string };

/** Translates Discourse's webhooks into domain events, with what it has learned of the forum's members and posts. */
export class DiscourseConnector {
  readonly #community: Pick<Community, "handle">;
  readonly #directory: DirectoryStore;
  readonly #clock: () => number;
  /** The last source: a service serves one forum, so its name is worked out once. */
  #source: { instance: string; source: Source } | null = null;

  constructor(options: { community: Pick<Community, "handle">; directory: DirectoryStore; clock?: () => number }) {
    this.#community = options.community;
    this.#directory = options.directory;
    this.#clock = options.clock ?? Date.now;
  }

  /**
   * The answer to a hook, or null where it tells nobody anything by its nature: a member's data (which is learned), and events that are of
   * no interest here. What the service learns is durable when this resolves.
   * @throws BelfryError `bad_request` naming the faulty field; what the directory and the community throw.
   */
  async receive(hook: DiscourseHook): Promise<EventAnswer | null> {
    if (hook.eventId !== null && (hook.eventId === "" || hook.eventId.length > MAX_ID_LENGTH)) {
      throw fault("X-Discourse-Event-Id", `must be 1 to ${MAX_ID_LENGTH} characters`);
    }
    const source = this.#sourceOf(hook.instance);
    switch (hook.event) {
      case "post_created":
      case "post_edited": {
        const post = writtenPostOf(hook.body);
        return this.#community.handle(await this.#written(hook, source, post));
      }
      case "post_destroyed":
      case "post_recovered": {
        const post = placedPostOf(hook.body);
        return this.#community.handle(await this.#placed(hook, source, post));
      }
      case "user_created":
      case "user_updated": {
        const user = forumUserOf(hook.body);
        await this.#directory.learn([memberOf(source, { ...user, user_id: user.id })], []);
        return null;
      }
      default:
        return null;
    }
  }

  async #written(hook: DiscourseHook, source: Source, post: WrittenPost): Promise<DomainEvent> {
    const author = memberOf(source, post);
    await this.#learn(author, post);
    if (hook.event === "post_edited" && post.hidden === true) {
      // Hiding a post does not make a version, so the edit before it may have had the same one.
      return { ...this.#base(hook, source, post, "deleted", "hidden"), why: "hidden" };
    }
    const act = hook.event === "post_created" ? "created" : "updated";
    const { outside, quoted } = splitQuotes(post.raw);
    const { parentAuthor, threadAuthor, ...people } = await this.#concern(post, act, mentionedIn(outside), quoted);
    const event: DomainEvent = { ...this.#base(hook, source, post, act), ...people, actor: personOf(author) };
    event.excerpt = cutText(foldSpace(outside), EXCERPT_LENGTH);
    if (event.thread !== undefined && threadAuthor !== undefined) event.thread.author = threadAuthor;
    if (event.comment !== undefined && parentAuthor !== undefined) event.comment.parentAuthor = parentAuthor;
    const quiet = quietOf(post);
    if (quiet !== null) event.quiet = quiet;
    // A hidden post becomes visible again by its author's edit, of which no other hook tells; without its time the edit proves nothing.
    if (act === "updated" && post.hidden !== true && post.deleted_at == null && post.updated_at != null) event.stands = true;
    return event;
  }

  async #placed(hook: DiscourseHook, source: Source, post: PlacedPost): Promise<DomainEvent> {
    const { user_id, username } = post;
    if (user_id != null && username != null) await this.#learn(memberOf(source, { ...post, user_id, username }), post);
    // Neither act makes a version, and a post can be destroyed and recovered again and again: the time tells one from the other.
    if (hook.event === "post_destroyed") return this.#base(hook, source, post, "deleted", millis(post.deleted_at));
    const event = this.#base(hook, source, post, "restored", millis(post.updated_at));
    if (post.hidden !== true) return event;
    // Recovered but still hidden: nothing comes back to anybody's screen.
    return { ...event, act: "updated", quiet: "the post is hidden" };
  }

  /** Before anything is decided: an author may mention themselves, and the next post may answer this one. */
  #learn(member: KnownMember, post: PlacedPost): Promise<void> {
    return this.#directory.learn([member], [{ topic: String(post.topic_id), number: post.post_number, author: member.id }]);
  }

  /** Everybody whom the post concerns, with names and post numbers turned into ids; what is not known becomes a skipped row. */
  async #concern(post: WrittenPost, act: DomainEvent["act"], mentioned: string[], quoted: string[]): Promise<Concern> {
    const topic = String(post.topic_id);
    const isComment = act === "created" && post.post_number > 1;
    const parent = isComment ? post.reply_to_post_number : null;
    const skipped: Skipped[] = [];
    const mentions = uniqueNames(mentioned, skipped);
    const quotes = act === "created" ? uniqueNames(quoted, skipped) : new Map<string, string>();

    const names = [...new Set([...mentions.keys(), ...quotes.keys()])];
    const numbers = isComment ? [...new Set([...(parent == null ? [] : [parent]), 1])] : [];
    const [members, authors] = await Promise.all([
      names.length === 0 ? new Map<string, string>() : this.#directory.membersByUsername(names),
      numbers.length === 0 ? new Map<number, string>() : this.#directory.postAuthors(topic, numbers),
    ]);

    for (const name of names) {
      if (!members.has(name))
        skipped.push({ user: mentions.get(name) ?? quotes.get(name) ?? name, why: "no member with this username is known" });
    }
    for (const number of numbers) {
      if (!authors.has(number)) skipped.push({ user: `post ${number} of topic ${topic}`, why: "its author is not known" });
    }
    const known = (wanted: Map<string, string>) =>
      Array.from(wanted.keys(), (name) => members.get(name)).filter((user) => user !== undefined);
    const concern: Concern = { mentions: known(mentions), quotes: known(quotes), skipped };
    const parentAuthor = parent == null ? undefined : authors.get(parent);
    const threadAuthor = authors.get(1);
    if (parentAuthor !== undefined) concern.parentAuthor = parentAuthor;
    if (threadAuthor !== undefined) concern.threadAuthor = threadAuthor;
    return concern;
  }

  /**
   * What every event of a post has. Its identity is instance, event, post and version (`extra` where the version does not tell two events
   * apart); the hook's own event id is a second name of it, as a forum that sends a hook again keeps that.
   */
  #base(hook: DiscourseHook, source: Source, post: PlacedPost, act: DomainEvent["act"], extra?: string): DomainEvent {
    const time = act === "created" ? post.created_at : act === "deleted" ? (post.deleted_at ?? post.updated_at) : post.updated_at;
    const thread: NonNullable<DomainEvent["thread"]> = { id: String(post.topic_id) };
    if (post.topic_title != null) thread.title = cutText(post.topic_title, MAX_NAME_LENGTH);
    if (source.base !== null) thread.url = topicUrl(source.base, post.topic_id, post.topic_slug);
    if (post.category_id != null) thread.category = String(post.category_id);
    const tags = tagsOf(post);
    if (tags !== undefined) thread.tags = tags;
    const event: DomainEvent = {
      id: `discourse:${source.name}:${hook.event}:${post.id}:${post.version}${extra === undefined ? "" : `:${extra}`}`,
      act,
      at: time ?? new Date(this.#clock()).toISOString(),
      thread,
      mentions: [],
      quotes: [],
      skipped: [],
    };
    // The first post is the topic itself: no comment.
    if (post.post_number > 1) {
      event.comment = { id: String(post.id) };
      if (thread.url !== undefined) event.comment.url = `${thread.url}/${post.post_number}`;
    }
    if (hook.eventId !== null) event.alias = `discourse-hook:${source.name}:${hook.event}:${hook.eventId}`;
    return event;
  }

  #sourceOf(instance: string): Source {
    if (this.#source?.instance !== instance) {
      const name = createHash("sha256").update(instance).digest("hex").slice(0, 12);
      this.#source = { instance, source: { name, base: baseOf(instance) } };
    }
    return this.#source.source;
  }
}

/** Why a post tells nobody, or null. */
function quietOf(post: WrittenPost): string | null {
  if (post.hidden === true) return "the post is hidden";
  if (post.deleted_at != null) return "the post is deleted";
  if (post.post_type != null && post.post_type !== 1) return "not a regular post";
  if (post.topic_archetype === "private_message") return "a private message";
  return null;
}

function memberOf(
  source: Source,
  user: { user_id: number; username: string; name?: string | null | undefined; avatar_template?: string | null | undefined },
): KnownMember {
  const member: KnownMember = { id: String(user.user_id), username: user.username };
  if (user.name != null && user.name !== "") member.name = cutText(user.name, MAX_NAME_LENGTH);
  const avatar = user.avatar_template == null ? undefined : avatarUrl(source.base, user.avatar_template);
  if (avatar !== undefined) member.avatar = avatar;
  return member;
}

/** How a member is shown with what they did. */
function personOf({ id, username, name, avatar }: KnownMember): Person {
  const person: Person = { id, name: name ?? username };
  if (avatar !== undefined) person.avatar = avatar;
  return person;
}

/** Lower-cased name → the name as written first, in order; what is past the limit is counted in one skipped row. */
function uniqueNames(names: string[], skipped: Skipped[]): Map<string, string> {
  const unique = new Map<string, string>();
  let left = 0;
  for (const name of names) {
    const lower = name.toLowerCase();
    if (unique.has(lower)) continue;
    if (unique.size < MAX_NAMES_PER_POST) unique.set(lower, name);
    else left += 1;
  }
  if (left > 0) skipped.push({ user: `${left} more names`, why: `more than ${MAX_NAMES_PER_POST} names in one post` });
  return unique;
}

function millis(time: string | null | undefined): string {
  return time == null ? "" : String(Date.parse(time));
}
