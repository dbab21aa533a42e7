import { BelfryError } from "../errors.js";
import type { PublicationRecord } from "../stream/types.js";
import { type Content, iso, reasonOf, skippedOf } from "./content.js";
import { namesOf, ownName } from "./names.js";
import type { InboxWriter, Publisher } from "./ports.js";
import { NOT_NAMED } from "./recipients.js";
import { isSubject } from "./subject.js";
import type { Reason, SubjectStore } from "./types.js";

/** Members named in one step. Threat: a text of megabytes for a post that 10,000 were told of. */
const MAX_NAMED = 20;

/** Why a member was or was not told of something, in words (docs/PROTOCOL.md, `GET /v1/trace`). */
export interface Trace {
  user: string;
  event: string;
  told: boolean;
  reason?: Reason;
  steps: string[];
}

type Verdict = Pick<Trace, "told" | "reason" | "steps">;

/** Says why a member was or was not told, from what was stored: what members want now is not what they wanted then. */
export class Tracer {
  readonly #publisher: Pick<Publisher, "publication" | "find">;
  readonly #inbox: InboxWriter;
  readonly #subjects: Pick<SubjectStore, "buried">;

  constructor(options: { publisher: Pick<Publisher, "publication" | "find">; inbox: InboxWriter; subjects: Pick<SubjectStore, "buried"> }) {
    this.#publisher = options.publisher;
    this.#inbox = options.inbox;
    this.#subjects = options.subjects;
  }

  /**
   * `event` is the id or alias of an event, or the id of a direct notification, a message or a task's end; of two that have the same, the
   * notification is meant.
   * @throws BelfryError `not_found`
   */
  async trace(user: string, event: string): Promise<Trace> {
    const record = await this.#find(event);
    if (record === null) {
      throw new BelfryError("not_found", "Nothing with this id is known: it was never taken, or too long ago. Use the `id` of an answer.");
    }
    const stream = this.#inbox.streamOf(user);
    const planned = record.plan.find((one) => one.stream === stream);
    const verdict = planned === undefined ? notTold(user, record, this.#inbox) : await this.#told(user, stream, record, reasonOf(planned));
    const steps = [opening(record), ...verdict.steps, ...(await this.#standing(record))];
    return { user, event, ...verdict, steps };
  }

  async #find(event: string): Promise<PublicationRecord | null> {
    for (const name of namesOf(event)) {
      const record = await this.#publisher.publication(name);
      if (record !== null) return record;
    }
    return null;
  }

  async #told(user: string, stream: string, record: PublicationRecord, reason: Reason): Promise<Verdict> {
    const entry = (await this.#publisher.find(record.key)).find((one) => one.stream === stream);
    const fate = entry === undefined ? null : await this.#inbox.fate(stream, entry.seq);
    if (entry === undefined || fate === null) {
      const why = "their inbox no longer keeps the entry, or the storing was interrupted and the same was not sent again";
      return { told: true, reason, steps: [`Member ${user} was to be told with reason ${reason}, and nothing is found: ${why}.`] };
    }
    const where = `entry ${entry.seq} of their inbox, notification ${this.#inbox.notificationId(stream, entry.seq)}`;
    if (fate.publication !== record.id) {
      const first = `they had already been told of this post by ${fate.publication === null ? "another event" : ownName(fate.publication)}: ${where}`;
      return { told: false, steps: [`Member ${user} was not told of it again with reason ${reason}: ${first}.`] };
    }
    const steps = [`Member ${user} was told with reason ${reason}: ${where}.`];
    if (fate.rescinded !== null) steps.push(`It was rescinded: ${fate.rescinded}.`);
    if (fate.readAt !== null) steps.push(`It was read at ${iso(fate.readAt)}.`);
    else if (fate.rescinded === null) steps.push("It has not been read.");
    if (fate.archivedAt !== null) steps.push(`It was archived at ${iso(fate.archivedAt)}.`);
    return { told: true, reason, steps };
  }

  async #standing({ key }: PublicationRecord): Promise<string[]> {
    const burial = isSubject(key) ? (await this.#subjects.buried([key])).get(key) : undefined;
    return burial === undefined ? [] : [`The post is gone now, since ${iso(burial.at)}: ${burial.why}.`];
  }
}

/** What was taken, and when. */
function opening(record: PublicationRecord): string {
  if (isAct(record)) return `The event ${named(record)} (a deletion or a restoration) was taken at ${iso(record.at)}.`;
  const { type, actor, thread } = JSON.parse(record.shared) as Content;
  const isPost = isSubject(record.key);
  const facts = [isPost ? `a ${type}` : `of type ${type}`];
  if (actor !== undefined) facts.push(isPost ? `by member ${actor.id}` : `from ${actor.id}`);
  if (thread !== undefined) facts.push(`in thread ${thread.id}`);
  return `The ${isPost ? "event" : "notification"} ${named(record)} (${facts.join(", ")}) was taken at ${iso(record.at)}.`;
}

function notTold(user: string, record: PublicationRecord, inbox: InboxWriter): Verdict {
  if (isAct(record)) return { told: false, steps: ["Such an event tells nobody: it takes notifications back, or brings them back."] };
  const told = record.plan.map((one) => `${inbox.userOf(one.stream)} (${reasonOf(one)})`);
  const list = told.length === 0 ? "It told nobody." : `It told only these members: ${some(told)}.`;
  if (!isSubject(record.key)) return { told: false, steps: [list, `Member ${user} is none of those that it was sent to.`] };

  const skipped = skippedOf(record);
  const own = skipped.find((one) => one.user === user);
  if (own !== undefined) return { told: false, steps: [`Member ${user} was not told: ${own.why}.`] };
  const steps = [list];
  if (skipped.length > 0) steps.push(`It did not tell: ${some(skipped.map((one) => `${one.user} (${one.why})`))}.`);
  const unnamed = skipped.find(({ why }) => why === NOT_NAMED);
  if (unnamed !== undefined) {
    steps.push(`${unnamed.user} were skipped and are not named: if member ${user} was watching there, they are one of them.`);
  } else if ((JSON.parse(record.shared) as Content).actor?.id === user) {
    steps.push(`Member ${user} is its author, and nobody is told of what they did themselves.`);
  } else {
    const concerned =
      "those that it mentions, answers or quotes, the thread's author and, unless it is hidden or private, those watching there";
    steps.push(`Member ${user} is none of those whom it concerned: of a new post ${concerned}; of an edit those that it mentions.`);
  }
  return { told: false, steps };
}

/** Whether it stands for a deletion or a restoration: those have no post's key, and nobody to tell. */
function isAct({ key }: PublicationRecord): boolean {
  return key.startsWith("act:");
}

function named({ id, alias }: PublicationRecord): string {
  return alias === null ? ownName(id) : `${ownName(id)}, also known as ${ownName(alias)},`;
}

function some(names: string[]): string {
  if (names.length <= MAX_NAMED) return names.join(", ");
  return `${names.slice(0, MAX_NAMED).join(", ")} and ${(names.length - MAX_NAMED).toLocaleString("en")} more`;
}
