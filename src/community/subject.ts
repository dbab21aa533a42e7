import { BelfryError } from "../errors.js";
import type { DomainEvent } from "./types.js";

const COMMENT = "comment:";
const THREAD = "thread:";

/** The key under which a post's notifications stand, whatever happens to the post. */
export function subjectOf(event: DomainEvent): string {
  if (event.comment !== undefined) return `${COMMENT}${event.comment.id}`;
  if (event.thread !== undefined) return `${THREAD}${event.thread.id}`;
  throw new BelfryError("bad_request", "The event has neither a comment nor a thread: name what it is about.");
}

/** Whether a publication's key is a post's: those of direct notifications and of acts are not. */
export function isSubject(key: string): boolean {
  return key.startsWith(COMMENT) || key.startsWith(THREAD);
}
