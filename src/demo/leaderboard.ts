import type { Logger } from "pino";
import { MEMBERS } from "./seed.js";

/** The topic that the page joins on `/live`. */
const LEADERBOARD = "demo/leaderboard";

/** Writes a topic's latest value; resolves once it is durable. */
export interface Topics {
  write(topic: string, body: { data: unknown; access: "members" }): Promise<unknown>;
}

/** One line of the board. */
export interface Standing {
  id: string;
  name: string;
  /** How many comments of theirs are in the forum now. */
  comments: number;
}

/** All members, who wrote most first; equals in the order of their names. */
export function standings(comments: ReadonlyArray<{ author: string }>): Standing[] {
  const written = new Map<string, number>();
  for (const { author } of comments) written.set(author, (written.get(author) ?? 0) + 1);
  return MEMBERS.map(({ id, name }) => ({ id, name, comments: written.get(id) ?? 0 })).sort(
    (a, b) => b.comments - a.comments || a.name.localeCompare(b.name, "en"),
  );
}

/** Shows who wrote most. A write that fails costs nobody their comment: the next one brings the board up to date. */
export function publishStandings(topics: Topics, comments: ReadonlyArray<{ author: string }>, log: Logger): void {
  topics.write(LEADERBOARD, { data: { members: standings(comments) }, access: "members" }).catch((error: unknown) => {
    log.warn({ err: error }, "the demo's leaderboard could not be written; the next comment writes it");
  });
}
