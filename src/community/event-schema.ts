import { z } from "zod";
import { checked, cutText, data, fault, id, MAX_EXCERPT_LENGTH, MAX_NAME_LENGTH, MAX_TEXT_LENGTH, MISSING, time, url } from "../checked.js";
import type { CommentRef, DirectNotification, DomainEvent, Person, ThreadRef } from "./types.js";

/** Members mentioned, and members quoted, in one event. Threat: one request that turns into a write for every member. */
export const MAX_MENTIONS = 500;

/** Receivers of one direct notification (PROTOCOL.md, HTTP). Threat: as above. */
const MAX_DIRECT_RECIPIENTS = 1_000;

/** Characters of the type that a caller gives a direct notification. Threat: entries of any size. */
const MAX_TYPE_LENGTH = 64;

/** Tags of a thread. Threat: memory for what is only compared. */
export const MAX_TAGS = 50;

const TYPES = ["comment.created", "comment.updated", "comment.deleted", "comment.restored", "thread.created"] as const;

// Optional fields may be null, which says the same as leaving them out: that is how databases and forums write it.
const person = z.object({ id, name: z.string().nullish(), avatar: url.nullish() });
const people = z.array(id).max(MAX_MENTIONS).nullish();
const excerpt = z.string().nullish();
const threadFields = {
  id,
  title: z.string().nullish(),
  url: url.nullish(),
  author: id.nullish(),
  category: id.nullish(),
  tags: z.array(id).max(MAX_TAGS).nullish(),
};
const thread = z.object({ ...threadFields, mentions: people, quotes: people, excerpt });
const comment = z.object({
  id,
  parent: id.nullish(),
  parentAuthor: id.nullish(),
  url: url.nullish(),
  mentions: people,
  quotes: people,
  excerpt,
});
const event = z.object({
  id,
  type: z.enum(TYPES),
  at: time.nullish(),
  actor: person.nullish(),
  thread: thread.nullish(),
  comment: comment.nullish(),
});

const notification = z.object({
  to: z.array(id).min(1).max(MAX_DIRECT_RECIPIENTS),
  type: z.string().min(1).max(MAX_TYPE_LENGTH),
  actor: person.nullish(),
  text: z.string().max(MAX_TEXT_LENGTH).nullish(),
  url: url.nullish(),
  thread: z.object(threadFields).nullish(),
  data: data.nullish(),
  key: id.nullish(),
});

/**
 * A domain event as the API takes it (docs/PROTOCOL.md, HTTP). `thread.created` has no comment; its own text may come as
 * `thread.mentions`, `thread.quotes` and `thread.excerpt`. Unknown fields are ignored.
 * @throws BelfryError `bad_request` naming the field and its fault.
 */
export function parseEvent(input: unknown): DomainEvent {
  const given = checked(event, input, "The event");
  const act = given.type.slice(given.type.indexOf(".") + 1) as DomainEvent["act"];
  const isComment = given.type !== "thread.created";
  const post = isComment ? given.comment : given.thread;
  if (post == null) throw fault(isComment ? "comment" : "thread", MISSING);
  if (given.actor == null && (act === "created" || act === "updated")) throw fault("actor", MISSING);
  if (given.thread == null && act === "created") throw fault("thread", MISSING);

  const parsed: DomainEvent = {
    id: given.id,
    act,
    at: given.at ?? new Date().toISOString(),
    mentions: post.mentions ?? [],
    quotes: post.quotes ?? [],
    skipped: [],
  };
  if (given.actor != null) parsed.actor = personOf(given.actor);
  if (given.thread != null) parsed.thread = threadOf(given.thread);
  if (isComment && given.comment != null) parsed.comment = commentOf(given.comment);
  if (post.excerpt != null) parsed.excerpt = cutText(post.excerpt, MAX_EXCERPT_LENGTH);
  return parsed;
}

/**
 * A direct notification as the API takes it (docs/PROTOCOL.md, HTTP).
 * @throws BelfryError `bad_request` naming the field and its fault.
 */
export function parseNotification(input: unknown): DirectNotification {
  const given = checked(notification, input, "The notification");
  const parsed: DirectNotification = { to: given.to, type: given.type };
  if (given.actor != null) parsed.actor = personOf(given.actor);
  if (given.text != null) parsed.text = given.text;
  if (given.url != null) parsed.url = given.url;
  if (given.thread != null) parsed.thread = threadOf(given.thread);
  if (given.key != null) parsed.key = given.key;
  if (given.data != null) parsed.data = given.data;
  return parsed;
}

function personOf(given: z.output<typeof person>): Person {
  const parsed: Person = { id: given.id };
  if (given.name != null) parsed.name = cutText(given.name, MAX_NAME_LENGTH);
  if (given.avatar != null) parsed.avatar = given.avatar;
  return parsed;
}

function threadOf(given: { [Key in keyof typeof threadFields]?: z.output<(typeof threadFields)[Key]> } & { id: string }): ThreadRef {
  const parsed: ThreadRef = { id: given.id };
  if (given.title != null) parsed.title = cutText(given.title, MAX_NAME_LENGTH);
  if (given.url != null) parsed.url = given.url;
  if (given.author != null) parsed.author = given.author;
  if (given.category != null) parsed.category = given.category;
  if (given.tags != null) parsed.tags = given.tags;
  return parsed;
}

function commentOf(given: z.output<typeof comment>): CommentRef {
  const parsed: CommentRef = { id: given.id };
  if (given.parent != null) parsed.parent = given.parent;
  if (given.parentAuthor != null) parsed.parentAuthor = given.parentAuthor;
  if (given.url != null) parsed.url = given.url;
  return parsed;
}
