import { randomUUID } from "node:crypto";
import { BelfryError } from "../errors.js";
import type { PublicationRecord, Recipient } from "../stream/types.js";
import { Burials } from "./burials.js";
import type { InboxWriter, Publisher } from "./ports.js";
import { MAX_RECIPIENTS, recipientsOf } from "./recipients.js";
import {
  type Burial,
  type DirectNotification,
  type DomainEvent,
  type EventAnswer,
  REASONS,
  type Reason,
  type Skipped,
  type SubjectStore,
} from "./types.js";

/** The kind of entry that a publication of this room creates (docs/PROTOCOL.md, entries). */
const KIND = "notification";

/** What a recipient's own part of the entry says: only the reason, so there are six texts, encoded once for the life of the process. */
const OWN_OF = Object.fromEntries(REASONS.map((reason) => [reason, JSON.stringify({ reason })])) as Record<Reason, string>;
const REASON_OF = new Map(REASONS.map((reason) => [OWN_OF[reason], reason]));

const NOBODY_SKIPPED = "[]";

/** Begins the id and the key of a direct notification: a forum's event and a server's key may have the same name and are not the same. */
const DIRECT = "direct:";

/** Why nobody is told of a post that was deleted before. */
const GONE = "the post is gone";

/**
 * Members whom the events of one array may concern before the next events wait for these. Threat: an array of 1,000 events with 500 mentions
 * each, which overfills the writer's queue and would do so again on every repeat.
 */
const MAX_CONCERNED_TOGETHER = 10_000;

/** What a subject was last known to be: gone, and why, or standing. */
type Standing = Pick<Burial, "why"> | null;

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
  readonly #subjects: SubjectStore;
  readonly #burials: Burials;
  readonly #clock: () => number;

  constructor(options: { publisher: Publisher; inbox: InboxWriter; subjects: SubjectStore; clock?: () => number }) {
    this.#publisher = options.publisher;
    this.#inbox = options.inbox;
    this.#subjects = options.subjects;
    this.#burials = new Burials(options.subjects);
    this.#clock = options.clock ?? Date.now;
  }

  /** Tells those whom the event concerns, or takes back or brings back what an earlier one told. */
  async handle(event: DomainEvent): Promise<EventAnswer> {
    switch (event.act) {
      case "created":
      case "updated":
        return this.#tell(event);
      case "deleted":
        return this.#amend(event, (subject) => this.#bury(subject, event));
      case "restored":
        return this.#amend(event, (subject) => this.#revive(subject, event));
    }
  }

  /**
   * Several events, answered in their order. Each member sees theirs in that order too: creations and edits travel together because the
   * publisher keeps the order of the calls; a deletion or restoration concerns members that only the store knows, so it travels alone.
   * Only so many travel together that the writer's queue is not overfilled by one array.
   * Where one fails, those before it and beside it may be stored; the whole array can be sent again.
   */
  async handleAll(events: DomainEvent[]): Promise<EventAnswer[]> {
    const answers: EventAnswer[] = [];
    let together: Array<Promise<EventAnswer>> = [];
    let concerned = 0;
    const settle = async () => {
      answers.push(...(await Promise.all(together)));
      together = [];
      concerned = 0;
    };
    for (const event of events) {
      if (event.act === "created" || event.act === "updated") {
        concerned += concernedBy(event);
        if (concerned > MAX_CONCERNED_TOGETHER) {
          await settle();
          concerned = concernedBy(event);
        }
        together.push(this.handle(event));
        continue;
      }
      await settle();
      answers.push(await this.handle(event));
    }
    await settle();
    return answers;
  }

  /** Tells the named members, each once, with reason `direct`. */
  async notify(notification: DirectNotification): Promise<EventAnswer> {
    const { type, actor = SYSTEM, thread, text, url, data } = notification;
    const id = `${DIRECT}${notification.key ?? randomUUID()}`;
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

  /**
   * A deletion may be answered at any moment of this: before, then nobody is told; in the midst, then it may not have seen the entries that
   * are stored here, so they are taken back here. That goes for repeats too, which store what an interrupted first attempt left out.
   */
  async #tell(event: DomainEvent): Promise<EventAnswer> {
    // The subject, not the event: whoever was told of a post is not told of it again when it is edited.
    const subject = subjectOf(event);
    // Asked for every event, whoever it tells: those that skipped the question would overtake the others.
    const asked = this.#burials.of(subject);
    const isGone = asked !== null && (await this.#isGone(subject, event, asked));
    const { told, skipped } = recipientsOf(isGone ? { ...event, quiet: event.quiet ?? GONE } : event);
    return this.#publish({
      id: event.id,
      alias: event.alias ?? null,
      key: subject,
      shared: contentOf(event),
      plan: told.map(({ user, reason }) => ({ stream: this.#inbox.streamOf(user), own: OWN_OF[reason] })),
      note: skipped.length === 0 ? NOBODY_SKIPPED : JSON.stringify(skipped),
    });
  }

  /** Whether the subject of a creation or an edit is gone. An edit that shows it standing after it went brings it back. */
  async #isGone(subject: string, event: DomainEvent, asked: Promise<Burial | null>): Promise<boolean> {
    const burial = await asked;
    if (burial === null) return false;
    if (event.stands !== true || Date.parse(event.at) <= burial.at) return true;
    // Before the burial is lifted too: an edit that is interrupted here must find it, to do this again.
    await this.#inbox.restore(subject, actName(event.id));
    await this.#revive(subject, event);
    return false;
  }

  /** The burial first: what is stored after it is taken back by whoever stores it. */
  async #bury(subject: string, event: DomainEvent): Promise<void> {
    const burial: Burial = { why: event.why ?? "deleted", at: Date.parse(event.at), learnedAt: this.#clock() };
    await this.#subjects.bury(subject, burial);
    await this.#align(subject, event.id, burial);
  }

  async #revive(subject: string, event: DomainEvent): Promise<void> {
    await this.#subjects.revive(subject);
    await this.#align(subject, event.id, null);
  }

  /**
   * Makes the subject's notifications what it is: gone or standing. Where another event changed that meanwhile, its own pass may have come
   * before this one's, so it goes on until nothing has changed: then whichever pass was last has seen the truth.
   */
  async #align(subject: string, event: string, assumed: Standing): Promise<void> {
    for (let standing = assumed; ; ) {
      const by = actName(event);
      if (standing === null) await this.#inbox.restore(subject, by);
      else await this.#inbox.rescind(subject, by, standing.why);
      const now: Standing = await this.#burials.of(subject);
      if ((now === null) === (standing === null)) return;
      standing = now;
    }
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
    // Of the record: a repeat's plan is the first one's, whatever is known of the subject now. Direct notifications are about no subject.
    const asked = record.plan.length > 0 && !record.key.startsWith(DIRECT) ? this.#burials.of(record.key) : null;
    const burial = asked === null ? null : await asked;
    if (burial !== null) await this.#align(record.key, record.id, burial);
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

/** A name of its own for each act: the same event may have to act again on a stream that another event changed in between. */
function actName(event: string): string {
  return `${event}:${randomUUID()}`;
}

/** How many members an event can concern at most, its connector's limits aside. */
function concernedBy({ mentions, quotes }: DomainEvent): number {
  return Math.min(MAX_RECIPIENTS, mentions.length + quotes.length + 2);
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
  // The commonest form is the one wanted; a valid time that looks so needs no second look.
  if (typeof time === "string" && time.length === 24 && time.endsWith("Z")) return time;
  return new Date(time).toISOString();
}

function reasonOf(own: string): Reason {
  const reason = REASON_OF.get(own);
  if (reason === undefined) throw new BelfryError("internal", "A stored publication has a recipient without a known reason.");
  return reason;
}
