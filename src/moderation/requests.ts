import { z } from "zod";
import { checked, cutText, fault, id, time } from "../checked.js";

/** Characters of a reason. Threat: an audit log, and members' records, of any size. */
const MAX_WHY_LENGTH = 500;

// Line breaks are a text's own; other control characters do not survive every store.
const why = z
  .string()
  .trim()
  .min(1)
  .max(MAX_WHY_LENGTH)
  .regex(/^(?:[^\p{Cc}\p{Cs}]|[\n\r\t])*$/u, "must hold no control characters besides line breaks");

const sanction = z.object({ until: time.nullish(), why });
const kick = z.object({ why });
const lift = z.object({ why: why.nullish() });

/** The member acted on. All of these throw `BelfryError` `bad_request` that names the field and its fault. */
export function parseTarget(user: unknown): string {
  return checked(id, user, "user");
}

/** Payload of `mute` and `ban`; `until` is null, or milliseconds after `now`. */
export function parseSanction(payload: unknown, now: number): { until: number | null; why: string } {
  const given = checked(sanction, payload, "The payload");
  const until = given.until == null ? null : Date.parse(given.until);
  if (until !== null && until <= now) throw fault("until", "must be in the future; leave it out for good");
  return { until, why: given.why };
}

/** Payload of `kick`. */
export function parseKick(payload: unknown): { why: string } {
  return checked(kick, payload, "The payload");
}

/** Payload of `unmute` and `unban`, which may be left out. */
export function parseLift(payload: unknown): { why?: string } {
  const given = checked(lift, payload ?? {}, "The payload");
  return given.why == null ? {} : { why: given.why };
}

/** The reason that a refused payload gives, as far as it can be kept. */
export function whyOf(payload: unknown): string | undefined {
  const given: unknown = Object(payload).why;
  return typeof given === "string" && given !== "" ? cutText(given, MAX_WHY_LENGTH) : undefined;
}
