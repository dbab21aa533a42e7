import { z } from "zod";
import { checked, cutText, id, MAX_NAME_LENGTH, MAX_ROLES, role, time } from "../checked.js";
import type { Registration } from "./types.js";

const registration = z.object({
  name: z.string().min(1).nullish(),
  roles: z.array(role).max(MAX_ROLES).nullish(),
  joinedAt: time.nullish(),
});

/**
 * What a server says of a member: `PUT /v1/members/:id` with `{ name?, roles?, joinedAt? }`. A name is cut to 300 characters, as a token's is.
 * @throws BelfryError `bad_request` naming the field and its fault.
 */
export function parseRegistration(user: unknown, body: unknown): Registration {
  const parsed: Registration = { user: checked(id, user, "The member's id") };
  const given = checked(registration, body, "The registration");
  if (given.name != null) parsed.name = cutText(given.name, MAX_NAME_LENGTH);
  if (given.roles != null) parsed.roles = [...new Set(given.roles)];
  if (given.joinedAt != null) parsed.joinedAt = Date.parse(given.joinedAt);
  return parsed;
}
