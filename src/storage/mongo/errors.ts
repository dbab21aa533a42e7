import { setTimeout as pause } from "node:timers/promises";
import { mongo } from "mongoose";
import { BelfryError } from "../../errors.js";
import { OutcomeUnknown } from "../../stream/types.js";
import { CALL_DEADLINE_MS, ELECTION_PAUSE_MS, UPKEEP_UNANSWERED_MS } from "./limits.js";

/** The server's code for a document that a unique index refused. */
export const DUPLICATE_KEY = 11000;

/** The server's code for a transaction that lost against another writer; nothing of it was stored. */
export const WRITE_CONFLICT = 112;

/**
 * Codes by which the server refuses a command, or a document, before it writes anything of it: what cannot be read or is not allowed (2, 9,
 * 14, 20, 40, 52–57, 59, 72, 73, 121, 10334, 17280), who may not do it (13, 18). After any other, of this version or a later one, the
 * write may have happened, or may be taken back: a primary that steps down, a deadline, the network between servers.
 */
const NOTHING_STORED = new Set([2, 9, 13, 14, 18, 20, 40, 52, 53, 54, 55, 56, 57, 59, 72, 73, 121, 10334, 17280]);

/** The driver's errors that come before anything is sent. Not MongoClientClosedError: connections in use get it too. */
const NOT_SENT = new Set([
  "MongoServerSelectionError",
  "MongoWaitQueueTimeoutError",
  "MongoPoolClearedError",
  "MongoPoolClosedError",
  "MongoTopologyClosedError",
  "MongoNotConnectedError",
  "MongoMissingCredentialsError",
  "MongoInvalidArgumentError",
]);

/** Codes of a server that is not, or no longer, the primary, or is about to end: the next primary takes the same command. */
const NO_PRIMARY = new Set<number | null>([91, 189, 10107, 11600, 11602, 13435, 13436]);

/**
 * Runs `work` again, for `ms` milliseconds at the most, while it fails with what passes: as a rule for want of a primary, when nothing of it
 * was stored.
 */
export async function outlast<T>(ms: number, work: () => Promise<T>, passes: (thrown: unknown) => boolean = isElection): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!passes(error) || performance.now() > deadline) throw error;
    }
    await pause(ELECTION_PAUSE_MS);
  }
}

/** What the driver answers. @throws MongoNetworkTimeoutError where it says nothing for so long: nobody knows what became of a write */
export async function answered<T>(call: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new mongo.MongoNetworkTimeoutError(`the driver has said nothing for ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([call, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether there is no primary, or none that can be reached, so that the same may succeed in a moment. */
function isElection(error: unknown): boolean {
  const thrown = error instanceof BelfryError ? error.cause : error;
  if (thrown instanceof mongo.MongoNetworkError || thrown instanceof mongo.MongoServerSelectionError) return true;
  return NO_PRIMARY.has(serverCode(thrown));
}

/** What a failed write means. `sentBefore`: an earlier part of the same work may be stored, so "nothing was stored" would be untrue. */
export function writeFailure(cause: unknown, sentBefore: boolean): Error {
  if (cause instanceof OutcomeUnknown) return cause;
  if (sentBefore) return new OutcomeUnknown("Only a part of the batch may be stored in MongoDB.", { cause });
  if (cause instanceof BelfryError) return cause;
  return isDefinite(cause) ? notStored(cause) : new OutcomeUnknown("MongoDB did not say whether the write was stored.", { cause });
}

/** For a write that was refused, or given up before it could take effect. */
export function notStored(cause: unknown): BelfryError {
  return unavailable(cause, "nothing was stored, send it again later");
}

/** A fault that the server reports inside an answer, as the error that the driver makes of a whole refused command. */
export function serverError({ code, errmsg }: { code: number; errmsg: string }): mongo.MongoServerError {
  return new mongo.MongoServerError({ message: errmsg, code });
}

/**
 * Runs reads, and writes that may be repeated, again where they meet an election, until the deadline of a call; what the driver throws then
 * becomes `unavailable`.
 */
export async function guard<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await outlast(CALL_DEADLINE_MS, () => answered(work(), UPKEEP_UNANSWERED_MS));
  } catch (cause) {
    if (cause instanceof BelfryError) throw cause;
    throw unavailable(cause, "try again in a moment");
  }
}

/** The code of a server's error, or null for errors of other kinds. */
export function serverCode(thrown: unknown): number | null {
  return thrown instanceof mongo.MongoServerError && typeof thrown.code === "number" ? thrown.code : null;
}

/** The server's own words; they name no host, user or password. */
export function reason(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function isDefinite(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  if (NOT_SENT.has(thrown.name)) return true;
  if (thrown instanceof mongo.MongoWriteConcernError) return false;
  const code = serverCode(thrown);
  return code !== null && NOTHING_STORED.has(code);
}

function unavailable(cause: unknown, what: string): BelfryError {
  const code = serverCode(cause);
  const why = code === null ? "MongoDB does not answer, or has no primary" : `MongoDB refused (code ${code})`;
  return new BelfryError("unavailable", `${why}; ${what}.`, { cause });
}
