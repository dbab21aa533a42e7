import { randomUUID } from "node:crypto";
import { BelfryError } from "../errors.js";
import type { PublicationRecord, Recipient } from "../stream/types.js";
import type { InboxWriter, Publisher } from "./ports.js";
import { recipientsOf } from "./recipients.js";
import { type DirectNotification, type DomainEvent, type EventAnswer, REASONS, type Reason, type Skipped } from "./types.js";

/** The kind of entry that a publication of this room creates (docs/PROTOCOL.md, entries). */
const KIND = "notification";

/** What a recipient's own part of the entry says: only the reason, so there are six texts, encoded once for the life of the process. */
const OWN_OF = Object.fromEntries(REASONS.map((reason) => [reason, JSON.stringify({ reason })])) as Record<Reason, string>;
const REASON_OF = new Map(REASONS.map((reason) => [OWN_OF[reason], reason]));

const NOBODY_SKIPPED = "[]";

/** Who tells where the caller named nobody: every notification has an actor (docs/PROTOCOL.md, notification). */
const SYSTEM = { id: "system" };

/**
 * Turns what happened in a forum into notifications. Every answer is of what is durable. The same event again, under its id or its alias,
 * stores nothing and gets the first answer with `duplicate: true`. Errors: those of the publisher and the inbox (`unavailable`,
 * `overloaded`, `draining`); the same call can then be made again.
 */
export class Community {
  readonly #publisher: Publisher;
  readonly #inbox: InboxWriter;
  readonly #clock: () => number;

  constructor(options: { publisher: Publisher; inbox: InboxWriter; clock?: () => number }) {
    this.#publisher = options.publisher;
    this.#inbox = options.inbox;
    this.#clock = options.clock ?? Date.now;
  }

  /** Tells those whom the event concerns, or takes back or brings back what an earlier one told. */
  async handle(event: DomainEvent): Promise<EventAnswer> {
    switch (event.act) {
      case "created":
      case "updated":
        return this.#tell(event);
      case "deleted":
        return this.#amend(event, (key) => this.#inbox.rescind(key, event.id, event.why ?? "deleted"));
      case "restored":
        return this.#amend(event, (key) => this.#inbox.restore(key, event.id));
    }
  }

  /**
   * Several events, answered in their order. Each member sees theirs in that order too: creations and edits travel together because the
   * publisher keeps the order of the calls; a deletion or restoration concerns members that only the store knows, so it travels alone.
   * Where one fails, those before it and beside it may be stored; the whole array can be sent again.
   */
  async handleAll(events: DomainEvent[]): Promise<EventAnswer[]> {
    const answers: EventAnswer[] = [];
    let together: Array<Promise<EventAnswer>> = [];
    for (const event of events) {
      if (event.act === "created" || event.act === "updated") {
        together.push(this.handle(event));
        continue;
      }
      answers.push(...(await Promise.all(together)));
      together = [];
      answers.push(await this.handle(event));
    }
    answers.push(...(await Promise.all(together)));
    return answers;
  }

  /** Tells the named members, each once, with reason `direct`. */
  async notify(notification: DirectNotification): Promise<EventAnswer> {
    const { type, actor = SYSTEM, thread, text, url, data } = notification;
    // A prefix of its own: a forum's event and a server's key may have the same name and are not the same thing.
    const id = `direct:${notification.key ?? randomUUID()}`;
    const users = new Set(notification.to);
    return this.#publish({
      id,
      alias: null,
      key: id,
      shared: JSON.stringify({ type, actor, thread: thread && pick(thread), text, url, data, createdAt: iso(this.#clock()) }),
      plan: Array.from(users, (user) => ({ stream: this.#inbox.streamOf(user), own: OWN_OF.direct })),
      note: NOBODY_SKIPPED,
    });
  }

  #tell(event: DomainEvent): Promise<EventAnswer> {
    const { told, skipped } = recipientsOf(event);
    return this.#publish({
      id: event.id,
      alias: event.alias ?? null,
      // The subject, not the event: whoever was told of a post is not told of it again when it is edited.
      key: subjectOf(event),
      shared: contentOf(event),
      plan: told.map(({ user, reason }) => ({ stream: this.#inbox.streamOf(user), own: OWN_OF[reason] })),
      note: skipped.length === 0 ? NOBODY_SKIPPED : JSON.stringify(skipped),
    });
  }

  /**
   * The record of the act is stored last: a crash in the middle leaves none, so the act is done again when the event comes again, and the
   * inbox takes repeats. In the other order a crash would leave an act that was answered as done and is not.
   */
  async #amend(event: DomainEvent, act: (subject: string) => Promise<void>): Promise<EventAnswer> {
    if (!(await this.#isKnown(event))) await act(subjectOf(event));
    return this.#publish({
      id: event.id,
      alias: event.alias ?? null,
      key: `act:${event.id}`,
      shared: "{}",
      plan: [],
      note: event.skipped.length === 0 ? NOBODY_SKIPPED : JSON.stringify(event.skipped),
    });
  }

  async #isKnown(event: DomainEvent): Promise<boolean> {
    if ((await this.#publisher.publication(event.id)) !== null) return true;
    return event.alias !== undefined && (await this.#publisher.publication(event.alias)) !== null;
  }

  /** The one way to an answer, so that a first answer and a repeat's can differ in nothing but `duplicate`. */
  async #publish(request: {
    id: string;
    alias: string | null;
    key: string;
    shared: string;
    plan: Recipient[];
    note: string;
  }): Promise<EventAnswer> {
    const { id, alias, key, shared, plan, note } = request;
    const { duplicate, record, results } = await this.#publisher.publish({ id, alias, key, kind: KIND, shared, plan, note });
    return this.#answer(duplicate, record, results);
  }

  #answer(duplicate: boolean, record: PublicationRecord, results: Array<{ seq: number | null; mine: boolean }>): EventAnswer {
    const notified: EventAnswer["notified"] = [];
    const skipped: Skipped[] = record.note === NOBODY_SKIPPED ? [] : (JSON.parse(record.note) as Skipped[]);
    record.plan.forEach(({ stream, own }, index) => {
      const result = results[index];
      const user = this.#inbox.userOf(stream);
      if (result === undefined || result.seq === null) skipped.push({ user, why: "no longer kept" });
      else if (!result.mine) skipped.push({ user, why: "already told of this post" });
      else notified.push({ user, reason: reasonOf(own), id: this.#inbox.notificationId(stream, result.seq), seq: result.seq });
    });
    return { id: record.id, duplicate, notified, skipped };
  }
}

/** The key under which a post's notifications stand, whatever happens to the post. */
function subjectOf(event: DomainEvent): string {
  if (event.comment !== undefined) return `comment:${event.comment.id}`;
  if (event.thread !== undefined) return `thread:${event.thread.id}`;
  throw new BelfryError("bad_request", "The event has neither a comment nor a thread: name what it is about.");
}

/** What all recipients share, as JSON. Undefined fields vanish in the encoding, so no second object is built without them. */
function contentOf({ actor, thread, comment, excerpt, at }: DomainEvent): string {
  return JSON.stringify({
    type: comment === undefined ? "thread" : "comment",
    actor,
    thread: thread && pick(thread),
    comment: comment && { id: comment.id, url: comment.url },
    text: excerpt,
    url: comment?.url ?? thread?.url,
    createdAt: iso(at),
  });
}

function pick({ id, title, url }: { id: string; title?: string; url?: string }) {
  return { id, title, url };
}

function iso(time: number | string): string {
  return new Date(time).toISOString();
}

function reasonOf(own: string): Reason {
  const reason = REASON_OF.get(own);
  if (reason === undefined) throw new BelfryError("internal", "A stored publication has a recipient without a known reason.");
  return reason;
}
