import type { Where, Wishes } from "./ports.js";
import type { DomainEvent, Reason, Skipped } from "./types.js";

/**
 * Members told of one event. Threat: a place that everybody watches turns one request into a write for every member of the forum. Those who
 * are mentioned, answered or quoted come first and always find room.
 */
export const MAX_RECIPIENTS = 10_000;

/**
 * Members named as skipped. Threat: a record and an answer as long as the list of those who watch; the others are counted. More than an event
 * names by itself.
 */
export const MAX_SKIPPED = 2_000;

const OWN_POST = "their own post";
const OVER_LIMIT = `more than ${MAX_RECIPIENTS.toLocaleString("en")} recipients`;
/** Why of the row that counts those who are skipped and not named. */
export const NOT_NAMED = `more than ${MAX_SKIPPED.toLocaleString("en")} are skipped`;

/** `told` is in order of precedence, each member once; `skipped` are those who would have had a reason. */
export interface Recipients {
  told: Array<{ user: string; reason: Reason }>;
  skipped: Skipped[];
}

/**
 * Who is told of an event, and why: mention, reply, quote, comment, watching, and the first that fits is the one given. Nobody is told of
 * their own post, where they muted, or of what a member did whom they block. An edit tells only those it mentions; that they were told of
 * the post before is the stream's knowledge, not this rule's.
 */
export function recipientsOf(event: DomainEvent, wishes: Wishes): Recipients {
  const told: Recipients["told"] = [];
  const skipped = event.skipped.slice();
  if (event.act === "deleted" || event.act === "restored") return { told, skipped };

  const actor = event.actor?.id;
  const where = whereOf(event);
  const seen = new Set<string>();
  let unnamed = 0;
  const consider = (user: string, reason: Reason): void => {
    if (seen.has(user)) return;
    seen.add(user);
    const why = user === actor ? OWN_POST : (event.quiet ?? refusalOf(user, actor, where, wishes));
    if (why === null && told.length < MAX_RECIPIENTS) told.push({ user, reason });
    else if (skipped.length < MAX_SKIPPED) skipped.push({ user, why: why ?? OVER_LIMIT });
    else unnamed += 1;
  };

  for (const user of event.mentions) consider(user, "mention");
  if (event.act === "created") {
    if (event.comment?.parentAuthor !== undefined) consider(event.comment.parentAuthor, "reply");
    for (const user of event.quotes) consider(user, "quote");
    if (event.comment !== undefined && event.thread?.author !== undefined) consider(event.thread.author, "comment");
    for (const user of watchersOf(event, where, wishes)) if (user !== actor) consider(user, "watching");
  }
  if (unnamed > 0) skipped.push({ user: `${unnamed} more members`, why: NOT_NAMED });
  return { told, skipped };
}

/** How many members an event can concern at most, its connector's limits aside. */
export function mostConcerned(event: DomainEvent, wishes: Wishes): number {
  const watchers = event.act === "created" && event.quiet === undefined ? wishes.mostWatchers(whereOf(event)) : 0;
  return Math.min(MAX_RECIPIENTS, event.mentions.length + event.quotes.length + 2 + watchers);
}

/** Of an event that tells nobody those who watch are no news either: hidden posts and private messages are none of their business. */
function watchersOf(event: DomainEvent, where: Where, wishes: Wishes): string[] {
  return event.quiet === undefined ? wishes.watchers(where) : [];
}

/** Why a member does not want to be told, or null. Whom they block is theirs to know: the answer does not name anybody. */
function refusalOf(user: string, actor: string | undefined, where: Where, wishes: Wishes): string | null {
  const { level, scope, id } = wishes.levelFor(user, where);
  if (level === "muted") return scope === "all" ? "muted everything" : `muted the ${scope} ${id}`;
  return actor !== undefined && wishes.blocks(user, actor) ? "blocked the author" : null;
}

function whereOf({ thread }: DomainEvent): Where {
  return { thread: thread?.id, tags: thread?.tags, category: thread?.category };
}
