import { type Comment, type Forum, type Thread, threads } from "./api.js";
import type { Change, Draft, ThreadParts } from "./parts.js";

/** The least between two looks at the forum. Threat: a flood of comments that becomes a flood of requests. Milliseconds. */
const LOOK_MS = 250;

const EMPTY: Draft = { text: "", parent: null, isOpen: false, isBusy: false, problem: null };

export interface ThreadsOptions {
  readonly forum: Forum;
  onChange(): void;
  /** This member has written in a thread. */
  onWritten(thread: string): void;
}

/** The threads as the forum has them, and what this member is writing in them. */
export class Threads {
  readonly #options: ThreadsOptions;
  readonly #drafts = new Map<string, Draft>();
  readonly #whole = new Set<string>();
  /** Comments that were there when the page opened. */
  #old: ReadonlySet<string> | null = null;
  #change: Change | null = null;
  #all: readonly Thread[] = [];
  #problem: string | null = null;
  #look: Promise<void> | null = null;
  #isWanted = false;

  constructor(options: ThreadsOptions) {
    this.#options = options;
  }

  get all(): readonly Thread[] {
    return this.#all;
  }

  /** Why there is nothing to show. */
  get problem(): string | null {
    return this.#all.length === 0 ? this.#problem : null;
  }

  /** Looks at the forum soon; what is asked meanwhile is one look more. Resolves with the last one. */
  refresh(): Promise<void> {
    this.#isWanted = true;
    this.#look ??= this.#looks().finally(() => {
      this.#look = null;
    });
    return this.#look;
  }

  /** Brings a comment, or else its thread, before the member's eyes. False: it is not there any more. */
  async show(thread: string | null, comment: string | null): Promise<boolean> {
    if (comment !== null && !this.#has(comment)) await this.refresh();
    if (thread !== null && comment !== null && this.#has(comment) && element(`comment-${comment}`) === null) {
      this.#whole.add(thread);
      this.#options.onChange();
      await Promise.resolve();
    }
    const place = comment === null ? element(`thread-${thread}`) : element(`comment-${comment}`);
    if (place === null) return false;
    const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
    place.scrollIntoView({ block: "center", behavior: isStill ? "auto" : "smooth" });
    place.focus({ preventScroll: true });
    for (const animation of place.getAnimations()) animation.cancel();
    place.animate([{ background: "var(--glow)" }, { background: "var(--glow)", offset: 0.4 }, {}], { duration: 2_400 });
    return true;
  }

  partsOf({ id }: Thread): Omit<ThreadParts, "members" | "me" | "now" | "memberOf"> {
    const draft = this.#drafts.get(id) ?? EMPTY;
    return {
      draft,
      change: this.#change,
      isWhole: this.#whole.has(id),
      isFresh: (comment) => this.#old?.has(comment) === false,
      showWhole: () => {
        this.#whole.add(id);
        this.#options.onChange();
      },
      write: (changed) => this.#write(id, changed),
      send: () => void this.#send(id),
      answer: (comment) => this.#answer(id, comment),
      begin: (comment, is) => {
        this.#set({ comment: comment.id, is, text: comment.text, isBusy: false, problem: null });
        void Promise.resolve().then(() => element(`comment-${comment.id}`)?.querySelector<HTMLElement>("textarea, .quiet")?.focus());
      },
      rewrite: (text) => {
        if (this.#change !== null) this.#change.text = text;
      },
      end: (carryOut) => void this.#end(carryOut),
    };
  }

  #has(comment: string): boolean {
    return this.#all.some(({ comments }) => comments.some(({ id }) => id === comment));
  }

  async #looks(): Promise<void> {
    while (this.#isWanted) {
      this.#isWanted = false;
      try {
        this.#all = await threads();
        this.#old ??= new Set(this.#all.flatMap(({ comments }) => comments.map(({ id }) => id)));
        this.#problem = null;
      } catch (error) {
        this.#problem = (error as Error).message;
      }
      this.#options.onChange();
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  #write(thread: string, changed: Partial<Draft>): void {
    this.#drafts.set(thread, { ...(this.#drafts.get(thread) ?? EMPTY), ...changed });
    this.#options.onChange();
  }

  #answer(thread: string, comment: Comment): void {
    this.#write(thread, { parent: comment.id, isOpen: true });
    element(`thread-${thread}`)?.querySelector<HTMLElement>(".composer textarea")?.focus();
  }

  async #send(thread: string): Promise<void> {
    const { text, parent, isBusy } = this.#drafts.get(thread) ?? EMPTY;
    if (isBusy || text.trim() === "") return;
    // The box is free at once: what is typed before the answer comes belongs to the next comment.
    this.#write(thread, { text: "", parent: null, isBusy: true, problem: null });
    try {
      const { comment } = await this.#options.forum.comment(thread, text, parent);
      // Shown at once; the look that follows brings it in its place among others.
      this.#all = this.#all.map((one) =>
        one.id === thread && !this.#has(comment.id) ? { ...one, comments: [...one.comments, comment] } : one,
      );
      this.#write(thread, { isBusy: false });
      this.#options.onWritten(thread);
      // What has come above has pushed it down, and the next one may follow.
      requestAnimationFrame(() => element(`thread-${thread}`)?.querySelector(".composer")?.scrollIntoView({ block: "nearest" }));
      void this.refresh();
    } catch (error) {
      const typed = this.#drafts.get(thread) ?? EMPTY;
      this.#write(thread, {
        text: typed.text === "" ? text : `${text}\n${typed.text}`,
        parent: typed.parent ?? parent,
        isBusy: false,
        problem: (error as Error).message,
      });
    }
  }

  async #end(carryOut: boolean): Promise<void> {
    const change = this.#change;
    if (change === null || change.isBusy) return;
    const { comment, is, text } = change;
    if (carryOut) {
      if (is === "editing" && text.trim() === "") return;
      this.#set({ ...change, isBusy: true, problem: null });
      try {
        if (is === "editing") await this.#options.forum.edit(comment, text);
        else await this.#options.forum.remove(comment);
        await this.refresh();
      } catch (error) {
        this.#set({ ...change, isBusy: false, problem: (error as Error).message });
        return;
      }
    }
    this.#set(null);
    void Promise.resolve().then(() =>
      (element(`comment-${comment}`) ?? document.querySelector<HTMLElement>(".composer textarea"))?.focus(),
    );
  }

  #set(change: Change | null): void {
    this.#change = change;
    this.#options.onChange();
  }
}

function element(id: string): HTMLElement | null {
  return document.getElementById(id);
}
