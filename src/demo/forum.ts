import { join } from "node:path";
import type { Logger } from "pino";
import type { DomainEvent, EventAnswer } from "../community/types.js";
import { BelfryError } from "../errors.js";
import { type DemoMember, MEMBERS } from "./seed.js";
import { type Change, type Comment, type ForumState, loadState, saveState, seededState, type Thread } from "./state.js";

/** Threat: disk and memory filled by comments, and a thread list that grows with every poll. The oldest comments go first. */
const MAX_COMMENTS = 500;

/** Threat: one comment that fills the page. UTF-16 units, after white space around it was taken off. */
export const MAX_TEXT_LENGTH = 2_000;

/** Threat: a queue of writers that grows without bound while the store is slow. */
const MAX_WAITING_WRITES = 100;

/** Characters of a comment that travel with its notifications. */
const EXCERPT_LENGTH = 200;

const MENTION = /(?<![\p{L}\p{N}_])@([\p{L}\p{N}_]{1,40})/gu;

/** Takes what happened and resolves once everybody concerned will be told, whatever dies afterwards. The same event id again is harmless. */
export interface Community {
  handle(event: DomainEvent): Promise<EventAnswer>;
}

/** What a visitor sees. */
export type ShownComment = Pick<Comment, "id" | "parent" | "author" | "text" | "at"> & { editedAt: string | null };
export interface ShownThread extends Thread {
  /** Oldest first. */
  comments: ShownComment[];
}

export function memberById(id: string): DemoMember | undefined {
  return MEMBERS.find((member) => member.id === id);
}

/** Ids of the members that a text calls by `@name`, each once, in no regard to case. */
function mentionedMembers(text: string): string[] {
  const names = new Set([...text.matchAll(MENTION)].map((match) => match[1]?.toLowerCase()));
  return MEMBERS.filter((member) => names.has(member.name.toLowerCase())).map((member) => member.id);
}

function excerptOf(text: string): string {
  // By code points, so that no emoji is cut in half.
  const characters = [...text.replace(/\s+/g, " ")];
  if (characters.length <= EXCERPT_LENGTH) return characters.join("");
  return `${characters.slice(0, EXCERPT_LENGTH - 1).join("")}…`;
}

/**
 * A forum as small as can be, which treats the service as a real one should: a comment is kept first (not `told`), then given to the service,
 * and shown to anybody only when the service has taken it; so is what its author changes. What a crash left between these steps is finished on
 * the next start; the event's id makes the repeat harmless.
 */
export class DemoForum {
  private readonly file: string;
  private state: Promise<ForumState> | null = null;
  private lastWrite: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  /** `onComments` is called with all comments that are shown, on the first use and whenever one has come, changed or gone. */
  constructor(
    dataDir: string,
    private readonly community: Community,
    private readonly log: Logger,
    private readonly onComments: (comments: readonly Comment[]) => void,
  ) {
    this.file = join(dataDir, "demo-forum.json");
  }

  /** Newest thread first. */
  async threads(): Promise<ShownThread[]> {
    const { threads, comments } = await this.opened();
    return threads.map((thread) => ({
      ...thread,
      comments: comments.filter((comment) => comment.told && comment.thread === thread.id).map(shown),
    }));
  }

  /**
   * Adds a comment. Resolves when it is kept and everybody it concerns will be told.
   * @throws BelfryError `not_found` (thread or parent), `overloaded`, `unavailable`, and what `Community.handle` throws; then nothing is shown.
   */
  async comment(author: DemoMember, thread: string, text: string, parent: string | null): Promise<ShownComment> {
    return this.queued((state) => this.write(state, author, thread, text, parent));
  }

  /**
   * Gives a comment another text. Resolves when it is kept and whoever it calls for the first time will be told.
   * @throws BelfryError `not_found`, `forbidden` where it is somebody else's, and what `comment` throws; then it stands as it was.
   */
  async edit(author: DemoMember, id: string, text: string): Promise<ShownComment> {
    return this.queued((state) => this.change(state, author, id, "updated", text));
  }

  /**
   * Takes a comment away, and what members were told of it with it. Answers to it stay.
   * @throws BelfryError those of `edit`
   */
  async remove(author: DemoMember, id: string): Promise<void> {
    await this.queued((state) => this.change(state, author, id, "deleted", ""));
  }

  /** One write at a time, in the order in which they came. */
  private async queued<Result>(act: (state: ForumState) => Promise<Result>): Promise<Result> {
    if (this.waiting >= MAX_WAITING_WRITES) throw new BelfryError("overloaded", "Too many comments are being written. Try again.");
    this.waiting++;
    const write = this.lastWrite.then(async () => act(await this.opened()));
    this.lastWrite = write.catch(() => undefined).finally(() => this.waiting--);
    return write;
  }

  /** Loaded on first use; a failure is not kept, so the next request tries again. */
  private opened(): Promise<ForumState> {
    this.state ??= this.open().catch((error: unknown) => {
      this.state = null;
      this.log.error({ err: error }, "the demo forum cannot be opened");
      throw error instanceof BelfryError ? error : new BelfryError("unavailable", "The demo forum cannot be opened.", { cause: error });
    });
    return this.state;
  }

  private async open(): Promise<ForumState> {
    const state = (await loadState(this.file)) ?? seededState();
    for (const comment of state.comments) {
      if (comment.told) continue;
      await this.community.handle(createdEvent(state, comment));
      comment.told = true;
    }
    for (const comment of [...state.comments]) {
      if (!comment.change) continue;
      await this.community.handle(changeEvent(state, comment, comment.change));
      apply(state, comment, comment.change);
    }
    await saveState(this.file, state);
    this.onComments(state.comments);
    return state;
  }

  private async write(state: ForumState, author: DemoMember, thread: string, text: string, parent: string | null): Promise<ShownComment> {
    if (!state.threads.some((known) => known.id === thread)) throw new BelfryError("not_found", "There is no such thread.");
    if (parent !== null && !state.comments.some((known) => known.id === parent && known.thread === thread)) {
      throw new BelfryError("not_found", "The comment that this answers is not in the thread any more.");
    }
    const comment: Comment = {
      id: `${state.instance}-${state.next++}`,
      thread,
      parent,
      author: author.id,
      text,
      at: new Date().toISOString(),
      told: false,
    };
    state.comments.push(comment);
    await this.tell(state, createdEvent(state, comment), () => state.comments.splice(state.comments.indexOf(comment), 1));
    comment.told = true;
    if (state.comments.length > MAX_COMMENTS) state.comments.splice(0, state.comments.length - MAX_COMMENTS);
    this.onComments(state.comments);
    await this.tidy(state);
    return shown(comment);
  }

  private async change(state: ForumState, author: DemoMember, id: string, act: Change["act"], text: string): Promise<ShownComment> {
    const comment = state.comments.find((known) => known.id === id);
    if (!comment) throw new BelfryError("not_found", "There is no such comment any more.");
    if (comment.author !== author.id) throw new BelfryError("forbidden", "Only who has written a comment can change it.");
    const change: Change = { id: `${state.instance}-${state.next++}`, act, text, at: new Date().toISOString() };
    comment.change = change;
    await this.tell(state, changeEvent(state, comment, change), () => {
      comment.change = null;
    });
    apply(state, comment, change);
    this.onComments(state.comments);
    await this.tidy(state);
    return shown(comment);
  }

  /** Keeps the state, then gives the event to the service. Where one of them fails, `undo` is called and kept. */
  private async tell(state: ForumState, event: DomainEvent, undo: () => void): Promise<void> {
    try {
      await saveState(this.file, state);
      await this.community.handle(event);
    } catch (error) {
      undo();
      await this.tidy(state);
      if (error instanceof BelfryError) throw error;
      throw new BelfryError("unavailable", "The comment could not be kept. Try again.", { cause: error });
    }
  }

  /** Saves what the caller's answer does not depend on: the comment is kept already, and a repeat of its event is harmless. */
  private async tidy(state: ForumState): Promise<void> {
    try {
      await saveState(this.file, state);
    } catch (error) {
      this.log.warn({ err: error }, "the demo forum could not be saved; the next write saves it");
    }
  }
}

function shown({ id, parent, author, text, at, editedAt }: Comment): ShownComment {
  return { id, parent, author, text, at, editedAt: editedAt ?? null };
}

/** The service has taken the change: now everybody is shown it. */
function apply(state: ForumState, comment: Comment, { act, text, at }: Change): void {
  comment.change = null;
  if (act === "deleted") state.comments.splice(state.comments.indexOf(comment), 1);
  else Object.assign(comment, { text, editedAt: at });
}

function createdEvent(state: ForumState, comment: Comment): DomainEvent {
  return { ...eventOf(state, comment, comment.text), id: `demo-comment-${comment.id}`, act: "created", at: comment.at };
}

function changeEvent(state: ForumState, comment: Comment, { id, act, text, at }: Change): DomainEvent {
  return { ...eventOf(state, comment, text), id: `demo-change-${id}`, act, at };
}

/** What the service is told of a comment. No urls: the service may be reached under several names. */
function eventOf(state: ForumState, comment: Comment, text: string): Omit<DomainEvent, "id" | "act" | "at"> {
  const thread = state.threads.find((known) => known.id === comment.thread);
  const parent = comment.parent === null ? undefined : state.comments.find((known) => known.id === comment.parent);
  return {
    actor: { id: comment.author, name: memberById(comment.author)?.name ?? comment.author },
    ...(thread && { thread: { id: thread.id, title: thread.title, author: thread.author } }),
    comment: { id: comment.id, ...(parent && { parent: parent.id, parentAuthor: parent.author }) },
    excerpt: excerptOf(text),
    mentions: mentionedMembers(text),
    quotes: [],
    skipped: [],
  };
}
