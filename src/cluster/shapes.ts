import { Rubbish } from "./types.js";

/** Checks of what other nodes send. Each throws `Rubbish` that names what is wrong and never its value. */

/** An object that is no array. */
export function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Rubbish(`${what} is not an object`);
  return value as Record<string, unknown>;
}

function list(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw new Rubbish(`${what} is not a list`);
  return value;
}

/** A whole number from 0. */
export function count(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new Rubbish(`${what} is not a whole number from 0`);
  return value as number;
}

/** Milliseconds, since whatever moment. */
export function time(value: unknown, what: string): number {
  if (typeof value !== "number") throw new Rubbish(`${what} is not a time`);
  return value;
}

export function flag(value: unknown, what: string): boolean {
  if (typeof value !== "boolean") throw new Rubbish(`${what} is neither true nor false`);
  return value;
}

/** A text of at most `max` characters. */
export function text(value: unknown, max: number, what: string): string {
  if (typeof value !== "string" || value.length > max) throw new Rubbish(`${what} is not a text of at most ${max} characters`);
  return value;
}

/** Names of members, each of 1 to `max` characters. */
export function names(value: unknown, max: number, what: string): string[] {
  const all = list(value, what);
  for (const name of all) {
    if (typeof name !== "string" || name.length === 0 || name.length > max) throw new Rubbish(`${what} holds what is no name`);
  }
  return all as string[];
}
