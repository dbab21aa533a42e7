import type { Comment, Member } from "./api.js";

/** A piece of a comment; `member`: it calls that member by name. */
export interface Piece {
  readonly text: string;
  readonly member: Member | null;
}

/** The text cut where it calls members by `@name`, in no regard to case. */
export function piecesOf(text: string, members: readonly Member[]): Piece[] {
  const byName = new Map(members.map((member) => [`@${member.name.toLowerCase()}`, member]));
  return text
    .split(/((?<![\p{L}\p{N}_])@[\p{L}\p{N}_]+)/u)
    .filter((part) => part !== "")
    .map((part) => ({ text: part, member: byName.get(part.toLowerCase()) ?? null }));
}

/** A comment, and whatever answers it or its answers. */
export interface Branch {
  readonly comment: Comment;
  /** Oldest first. */
  readonly answers: readonly Comment[];
}

/** Comments with their answers under them, oldest first. An answer to what is gone stands for itself. */
export function branchesOf(comments: readonly Comment[]): Branch[] {
  const rootOf = new Map<string, { comment: Comment; answers: Comment[] }>();
  const branches: { comment: Comment; answers: Comment[] }[] = [];
  for (const comment of comments) {
    const root = comment.parent === null ? undefined : rootOf.get(comment.parent);
    if (root !== undefined) root.answers.push(comment);
    else branches.push({ comment, answers: [] });
    rootOf.set(comment.id, root ?? (branches.at(-1) as Branch & { answers: Comment[] }));
  }
  return branches;
}

/** The steps of `ago`, in seconds. */
const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

/** "5 min. ago". A clock that is behind the forum's makes it "now". `at` is RFC 3339, `now` milliseconds since 1970. */
export function ago(at: string, now: number): string {
  const seconds = (now - Date.parse(at)) / 1_000;
  for (const [unit, length] of UNITS) if (seconds >= length) return relative.format(-Math.floor(seconds / length), unit);
  return "just now";
}
