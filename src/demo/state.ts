import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { THREADS } from "./seed.js";

const threadShape = z.object({ id: z.string(), author: z.string(), title: z.string(), text: z.string(), at: z.string() });
/** What its author has done to a comment, kept before the service is told of it. `id` is of the event, and never used twice. */
const changeShape = z.object({ id: z.string(), act: z.enum(["updated", "deleted"]), text: z.string(), at: z.string() });
const commentShape = z.object({
  id: z.string(),
  thread: z.string(),
  parent: z.string().nullable(),
  author: z.string(),
  text: z.string(),
  at: z.string(),
  told: z.boolean(),
  editedAt: z.string().nullish(),
  change: changeShape.nullish(),
});
const stateShape = z.object({
  version: z.literal(1),
  instance: z.string(),
  next: z.number().int().positive(),
  threads: z.array(threadShape),
  comments: z.array(commentShape),
});

/** A thread as kept. `author` is a member's id; `at` is RFC 3339. */
export type Thread = z.infer<typeof threadShape>;

/**
 * A comment as kept. `told`: the notification service has taken it; until then nobody is shown it. `change`: the service has not taken it yet;
 * until then everybody is shown the comment as it was.
 */
export type Comment = z.infer<typeof commentShape>;

/** An edit or a deletion of a comment. */
export type Change = z.infer<typeof changeShape>;

/**
 * The whole demo forum. `instance` is part of every comment's id, because the service remembers the ids it has seen: a forum that starts anew
 * beside an old store must not use one of them again. `next` numbers comments and is never used twice.
 */
export type ForumState = z.infer<typeof stateShape>;

function ago(minutes: number): string {
  return new Date(Date.now() - minutes * 60_000).toISOString();
}

/** A forum as it is on the first start. */
export function seededState(): ForumState {
  const instance = randomBytes(4).toString("hex");
  const state: ForumState = { version: 1, instance, next: 1, threads: [], comments: [] };
  for (const { id, author, title, text, minutesAgo, comments } of THREADS) {
    state.threads.push({ id, author, title, text, at: ago(minutesAgo) });
    for (const comment of comments) {
      const { author: by, text: said } = comment;
      const number = state.next++;
      state.comments.push({
        id: `${instance}-${number}`,
        thread: id,
        parent: null,
        author: by,
        text: said,
        at: ago(comment.minutesAgo),
        told: true,
      });
    }
  }
  return state;
}

/**
 * The kept forum; null where there is none yet.
 * @throws Error when the file is there and is not a demo forum; the message names the file.
 */
export async function loadState(file: string): Promise<ForumState | null> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  try {
    return stateShape.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`${file} is not a demo forum; move it away to start a new one.`, { cause: error });
  }
}

/** Replaces the file in one step: after a crash it is the old state or the new one, never half of either. One call at a time. */
export async function saveState(file: string, state: ForumState): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.tmp`;
  const handle = await open(draft, "w");
  try {
    await handle.writeFile(JSON.stringify(state));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
}
