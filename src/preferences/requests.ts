import { z } from "zod";
import { checked, fault, id, MISSING, time } from "../checked.js";
import { LEVELS, type LevelSetting, SCOPES } from "./types.js";

const levelPayload = z.object({ scope: z.enum(SCOPES), id: id.nullish(), level: z.enum(LEVELS), until: time.nullish() });

/**
 * The payload of `level` and `PUT /v1/me/levels`: `{ scope, id?, level, until? }`. `now`: milliseconds.
 * @throws BelfryError `bad_request` naming the field and its fault.
 */
export function parseLevel(payload: unknown, now: number): Omit<LevelSetting, "user"> {
  const given = checked(levelPayload, payload, "The level");
  const { scope, level } = given;
  if (scope === "all" && given.id != null) throw fault("id", "must be left out where the scope is `all`");
  if (scope !== "all" && given.id == null) throw fault("id", MISSING);
  const until = given.until == null ? null : Date.parse(given.until);
  if (until !== null && until <= now) throw fault("until", "must be in the future");
  return { scope, id: given.id ?? "", level, until };
}

/** The member whom another one blocks. @throws BelfryError `bad_request` */
export function parseUser(user: unknown): string {
  return checked(id, user, "user");
}
