/** One line of the leaderboard. */
export interface Standing {
  readonly id: string;
  readonly name: string;
  readonly comments: number;
  /** Equals share one, and the next one has that after all of them. */
  readonly rank: number;
}

/** Lines that are drawn. Whoever writes the topic may have more. */
const MAX_LINES = 10;

/** The lines in a value of the topic, the first one's first. What is none is passed over: any server may write there. */
export function standingsIn(data: unknown): Standing[] {
  const { members } = Object(data) as { members?: unknown };
  const lines = Array.isArray(members) ? members.filter(isLine).slice(0, MAX_LINES) : [];
  return lines.map(({ id, name, comments }) => ({
    id,
    name,
    comments,
    rank: lines.findIndex((line) => line.comments === comments) + 1,
  }));
}

function isLine(value: unknown): value is Omit<Standing, "rank"> {
  const { id, name, comments } = Object(value) as Partial<Standing>;
  return typeof id === "string" && typeof name === "string" && Number.isSafeInteger(comments) && Number(comments) >= 0;
}
