import { randomUUID } from "node:crypto";
import { BelfryError } from "../errors.js";
import type { PublicationRecord, Recipient } from "../stream/types.js";
import { type Content, contentOf, directContentOf, noteOf, reasonOf, recipient, skippedOf } from "./content.js";
import { Inquiry } from "./inquiry.js";
import { eventName, type Namespace, notificationName, ownName } from "./names.js";
import type { Acquaintances, InboxWriter, Preferences, Publisher } from "./ports.js";
import { mostConcerned, type Recipients, recipientsOf } from "./recipients.js";
import { isSubject, subjectOf } from "./subject.js";
import { type Trace, Tracer } from "./trace.js";
import type { Burial, DirectNotification, DomainEvent, EventAnswer, SubjectStore } from "./types.js";

/** The kind of entry that a publication of this room creates (docs/PROTOCOL.md, entries). */
const KIND = "notification";

/** Why nobody is told of a post that was deleted before. */
const GONE = "the post is gone";

/**
 * Members whom the events of one array may concern before the next events wait for these. Threat: an array of 1,000 events with 500 mentions
 * each, which overfills the writer's queue and would do so again on every repeat.
 */
const MAX_CONCERNED_TOGETHER = 10_000;

/**
 * The same, of a whole array; more than an array names by itself. Threat: its answer, which names everybody who was told: a thousand events
 * in a place that ten thousand watch would fill the memory.
 */
const MAX_CONCERNED_IN_ARRAY = 1_100_000;

/** What a subject was last known to be: gone, and why, or standing. */
type Standing = Pick<Burial, "why"> | null;

/**
 * Turns what happened in a forum into notifications. Every answer is of what is durable. The same event again, under its id or its alias,
 * stores nothing and gets the first answer with `duplicate: true`. Errors: those of the publisher and the inbox (`unavailable`,
 * `overloaded`, `draining`); the same call can then be made again.
 */
export class Community {
  readonly #publisher: Publisher;
  readonly #inbox: InboxWriter;
  readonly #subjects: SubjectStore;
  readonly #preferences: Preferences;
  readonly #acquaintances: Acquaintances;
  readonly #inquiry: Inquiry;
  readonly #tracer: Tracer;
  readonly #clock: () => number;

  constructor(options: {
    publisher: Publisher;
    inbox: InboxWriter;
    subjects: SubjectStore;
    preferences: Preferences;
    acquaintances: Acquaintances;
    clock?: () => number;
  }) {
    this.#publisher = options.publisher;
    this.#inbox = options.inbox;
    this.#subjects = options.subjects;
    this.#preferences = options.preferences;
    this.#acquaintances = options.acquaintances;
    this.#inquiry = new Inquiry(options.subjects, options.preferences);
    this.#tracer = new Tracer(options);
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
   * @throws BelfryError `too_large` before anything is stored, where they concern too many members.
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
    const counts = events.map((event) => mostConcerned(event, this.#preferences));
    if (counts.reduce((sum, count) => sum + count, 0) > MAX_CONCERNED_IN_ARRAY) throw tooLarge();
    for (const [index, event] of events.entries()) {
      if (event.act === "created" || event.act === "updated") {
        const count = counts[index] as number;
        if (concerned + count > MAX_CONCERNED_TOGETHER) await settle();
        concerned += count;
        together.push(this.handle(event));
        continue;
      }
      await settle();
      answers.push(await this.handle(event));
    }
    await settle();
    return answers;
  }

  /** Tells the named members, each once, with reason `direct`: what they watch, mute or block does not matter. */
  async notify(notification: DirectNotification, namespace: Namespace = "direct"): Promise<EventAnswer> {
    const id = notificationName(namespace, notification.key ?? randomUUID());
    const now = this.#clock();
    const users = new Set(notification.to);
    this.#acquaintances.heardOf(users, now);
    const plan = Array.from(users, (user) => recipient(this.#inbox.streamOf(user), "direct"));
    return this.#publish({ id, alias: null, key: id, shared: directContentOf(notification, now), plan, note: noteOf([]) });
  }

  /**
   * The `data` of the notification with this key, as its members were told; null where it had none, or no such notification is known.
   * @throws BelfryError `unavailable`
   */
  async told(key: string, namespace: Namespace): Promise<Record<string, unknown> | null> {
    const record = await this.#publisher.publication(notificationName(namespace, key));
    return record === null ? null : ((JSON.parse(record.shared) as Content).data ?? null);
  }

  /**
   * Why a member was or was not told. `event` is the id of an event or of a direct notification, a message or a task's end, as in the answer.
   * @throws BelfryError `not_found` where the service knows no such event.
   */
  trace(user: string, event: string): Promise<Trace> {
    return this.#tracer.trace(user, event);
  }

  /**
   * A deletion may be answered at any moment of this: before, then nobody is told; in the midst, then it may not have seen the entries that
   * are stored here, so they are taken back here. That goes for repeats too, which store what an interrupted first attempt left out.
   */
  async #tell(event: DomainEvent): Promise<EventAnswer> {
    // The subject, not the event: whoever was told of a post is not told of it again when it is edited.
    const subject = subjectOf(event);
    // Asked for every event, whoever it tells: those that skipped the question would overtake the others.
    const asked = this.#inquiry.beforeTelling(subject);
    const isGone = asked !== null && (await this.#isGone(subject, event, asked));
    const { told, skipped } = recipientsOf(isGone ? { ...event, quiet: event.quiet ?? GONE } : event, this.#preferences);
    this.#meet(event, told);
    return this.#publish({
      ...namesOfEvent(event),
      key: subject,
      shared: contentOf(event),
      plan: told.map(({ user, reason }) => recipient(this.#inbox.streamOf(user), reason)),
      note: noteOf(skipped),
    });
  }

  /** Everybody whom the event names or is told to: they were there, if not before then when it happened. */
  #meet(event: DomainEvent, told: Recipients["told"]): void {
    const users = event.mentions.concat(event.quotes);
    for (const user of [event.actor?.id, event.comment?.parentAuthor, event.thread?.author]) if (user !== undefined) users.push(user);
    for (const { user, reason } of told) if (reason === "watching") users.push(user);
    this.#acquaintances.heardOf(users, Math.min(Date.parse(event.at), this.#clock()));
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
      const now: Standing = await this.#inquiry.burial(subject);
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
    this.#meet(event, []);
    return this.#publish({
      ...namesOfEvent(event),
      key: `act:${event.id}`,
      shared: "{}",
      plan: [],
      note: noteOf(event.skipped),
    });
  }

  async #isKnown(event: DomainEvent): Promise<boolean> {
    const { id, alias } = namesOfEvent(event);
    if ((await this.#publisher.publication(id)) !== null) return true;
    return alias !== null && (await this.#publisher.publication(alias)) !== null;
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
    // Of the record: a repeat's plan is the first one's, whatever is known of the subject now.
    const asked = record.plan.length > 0 && isSubject(record.key) ? this.#inquiry.burial(record.key) : null;
    const burial = asked === null ? null : await asked;
    if (burial !== null) await this.#align(record.key, record.id, burial);
    return this.#answer(duplicate, record, results);
  }

  #answer(duplicate: boolean, record: PublicationRecord, results: Array<{ seq: number | null; mine: boolean }>): EventAnswer {
    const notified: EventAnswer["notified"] = [];
    const skipped = skippedOf(record);
    record.plan.forEach((one, index) => {
      const { stream } = one;
      const result = results[index];
      const user = this.#inbox.userOf(stream);
      if (result === undefined || result.seq === null) skipped.push({ user, why: "no longer kept" });
      else if (!result.mine) skipped.push({ user, why: "already told of this post" });
      else notified.push({ user, reason: reasonOf(one), id: this.#inbox.notificationId(stream, result.seq), seq: result.seq });
    });
    return { id: ownName(record.id), duplicate, notified, skipped };
  }
}

/** The names under which an event is known again. */
function namesOfEvent({ id, alias }: DomainEvent): { id: string; alias: string | null } {
  return { id: eventName(id), alias: alias === undefined ? null : eventName(alias) };
}

/** A name of its own for each act: the same event may have to act again on a stream that another event changed in between. */
function actName(event: string): string {
  return `${event}:${randomUUID()}`;
}

function tooLarge(): BelfryError {
  const most = MAX_CONCERNED_IN_ARRAY.toLocaleString("en");
  return new BelfryError("too_large", `The events concern more than ${most} members in all: send fewer at once. Nothing was stored.`);
}
