import type { Comment, Member } from "./api.js";

/** What a member is writing in a thread. */
export interface Draft {
  text: string;
  /** The comment that it answers. */
  parent: string | null;
  isOpen: boolean;
  isBusy: boolean;
  problem: string | null;
}

/** What a member is doing to a comment of theirs. */
export interface Change {
  readonly comment: string;
  readonly is: "editing" | "deleting";
  text: string;
  isBusy: boolean;
  problem: string | null;
}

/** What the threads are drawn from, and whom they tell. */
export interface ThreadParts {
  readonly members: readonly Member[];
  readonly me: string;
  readonly now: number;
  readonly draft: Draft;
  readonly change: Change | null;
  /** Whether it is drawn from its beginning. */
  readonly isWhole: boolean;
  /** Came while the page was open. */
  isFresh(comment: string): boolean;
  memberOf(id: string): Member;
  showWhole(): void;
  write(changed: Partial<Draft>): void;
  send(): void;
  answer(comment: Comment): void;
  begin(comment: Comment, is: Change["is"]): void;
  rewrite(text: string): void;
  /** Carries out the change that was begun, or gives it up. */
  end(carryOut: boolean): void;
}
