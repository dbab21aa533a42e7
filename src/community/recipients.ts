import type { DomainEvent, Reason, Skipped } from "./types.js";

/**
 * Members told of one event. Threat: a post that names everybody turns one request into a write for every member. The two that a
 * connector cannot multiply (reply, comment) are within it too.
 */
export const MAX_RECIPIENTS = 1_000;

const OWN_POST = "their own post";
const OVER_LIMIT = `more than ${MAX_RECIPIENTS.toLocaleString("en")} recipients`;

/** `told` is in order of precedence, each member once; `skipped` are those who would have had a reason. */
export interface Recipients {
  told: Array<{ user: string; reason: Reason }>;
  skipped: Skipped[];
}

/**
 * Who is told of an event, and why: mention, reply, quote, comment, and the first that fits is the one given. Nobody is told of their own
 * post. An edit tells only those it mentions; that they were told of the post before is the stream's knowledge, not this rule's.
 */
export function recipientsOf(event: DomainEvent): Recipients {
  const told: Recipients["told"] = [];
  const skipped = event.skipped.slice();
  if (event.act === "deleted" || event.act === "restored") return { told, skipped };

  const actor = event.actor?.id;
  const seen = new Set<string>();
  const consider = (user: string, reason: Reason): void => {
    if (seen.has(user)) return;
    seen.add(user);
    if (user === actor) skipped.push({ user, why: OWN_POST });
    else if (event.quiet !== undefined) skipped.push({ user, why: event.quiet });
    else if (told.length >= MAX_RECIPIENTS) skipped.push({ user, why: OVER_LIMIT });
    else told.push({ user, reason });
  };

  for (const user of event.mentions) consider(user, "mention");
  if (event.act === "updated") return { told, skipped };
  if (event.comment?.parentAuthor !== undefined) consider(event.comment.parentAuthor, "reply");
  for (const user of event.quotes) consider(user, "quote");
  if (event.comment !== undefined && event.thread?.author !== undefined) consider(event.thread.author, "comment");
  return { told, skipped };
}
