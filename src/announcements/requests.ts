import { z } from "zod";
import { checked, fault, id, MAX_ROLES, MAX_TEXT_LENGTH, role, time, url } from "../checked.js";
import { ANNOUNCEMENT_LEVELS, type Announcement, type Audience } from "./types.js";

/** Characters of a title. Threat: an entry of any size, copied to every member's screen. */
const MAX_TITLE_LENGTH = 200;

/** Characters of a reason. Threat: as above. */
const MAX_WHY_LENGTH = 500;

/** Users that an audience names. Threat: as above, and one question for each of them. */
const MAX_USERS = 1_000;

/** How late a `startsAt` may be, for clocks that differ and requests on their way. Milliseconds. */
const START_TOLERANCE_MS = 5_000;

/** What an author decides of an announcement. */
export type Content = Omit<Announcement, "id" | "createdAt" | "by">;

/** What a change asks for: fields left out stay, null takes an optional one away (or back to what it is without being said). */
export type Patch = { [Field in keyof Content]?: Content[Field] | null | undefined };

const audience = z
  .object({
    roles: z.array(role).min(1).max(MAX_ROLES).nullish(),
    users: z.array(id).min(1).max(MAX_USERS).nullish(),
    joinedBefore: time.nullish(),
    joinedAfter: time.nullish(),
  })
  .transform(toAudience);

const title = z.string().min(1).max(MAX_TITLE_LENGTH);
const text = z.string().max(MAX_TEXT_LENGTH);
const instant = time.transform(canonical);
const optional = {
  url: url.nullish(),
  level: z.enum(ANNOUNCEMENT_LEVELS).nullish(),
  audience: audience.nullish(),
  startsAt: instant.nullish(),
  expiresAt: instant.nullish(),
  dismissible: z.boolean().nullish(),
  mandatory: z.boolean().nullish(),
};
const announcement = z.object({ title, text, ...optional, key: id.nullish() });
const patch = z.object({ title: title.optional(), text: text.optional(), ...optional });
const rescission = z.object({ why: z.string().min(1).max(MAX_WHY_LENGTH).nullish() });

/** A new announcement; `key` is null where a repeat need not be recognised. @throws BelfryError `bad_request` naming the field. */
export function parseAnnouncement(payload: unknown): { content: Content; key: string | null } {
  const { key, ...fields } = checked(announcement, payload, "The announcement");
  return { content: toContent(fields), key: key ?? null };
}

/** A change of one. @throws BelfryError `bad_request` naming the field. */
export function parsePatch(payload: unknown): Patch {
  return checked(patch, payload, "The change");
}

/** Why one is rescinded, or null; nothing at all is a rescission without a reason. @throws BelfryError `bad_request` */
export function parseRescission(payload: unknown): string | null {
  return checked(rescission, payload ?? {}, "The rescission").why ?? null;
}

/** The id of an announcement that a member names. @throws BelfryError `bad_request` */
export function parseId(value: unknown): string {
  return checked(z.object({ announcement: id }), { announcement: value }, "The request").announcement;
}

/** How it is after the change. */
export function amend(present: Content, change: Patch): Content {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  return toContent({ ...present, ...(Object.fromEntries(given) as Patch & Pick<Content, "title" | "text">) });
}

/**
 * Refuses times that cannot be. `startsAt` is looked at only where it is new: that of one which has begun is past.
 * @throws BelfryError `bad_request`
 */
export function checkTimes({ startsAt, expiresAt }: Content, now: number, isNewStart: boolean): void {
  if (isNewStart && startsAt !== undefined && Date.parse(startsAt) < now - START_TOLERANCE_MS) {
    throw fault("startsAt", "is in the past; leave it out to announce at once");
  }
  if (expiresAt === undefined) return;
  if (Date.parse(expiresAt) <= now) throw fault("expiresAt", "is in the past; it must be a time to come");
  if (startsAt !== undefined && Date.parse(expiresAt) <= Date.parse(startsAt)) throw fault("expiresAt", "must be after startsAt");
}

type Fields = Patch & Pick<Content, "title" | "text">;

/** The fields in one order, those that nobody needs left out: two that say the same are the same. */
function toContent({ title, text, url, level, audience, startsAt, expiresAt, dismissible, mandatory }: Fields): Content {
  return {
    title,
    text,
    ...(url ? { url } : {}),
    level: level ?? "info",
    ...(audience ? { audience } : {}),
    ...(startsAt ? { startsAt } : {}),
    ...(expiresAt ? { expiresAt } : {}),
    dismissible: dismissible ?? true,
    mandatory: mandatory ?? false,
  };
}

/** Undefined: everybody. */
function toAudience(
  fields: { [Field in keyof Audience]?: Audience[Field] | null | undefined },
  context: z.RefinementCtx,
): Audience | undefined {
  const { roles, users, joinedBefore, joinedAfter } = fields;
  const made: Audience = {
    ...(roles ? { roles: [...new Set(roles)] } : {}),
    ...(users ? { users: [...new Set(users)] } : {}),
    ...(joinedBefore ? { joinedBefore: canonical(joinedBefore) } : {}),
    ...(joinedAfter ? { joinedAfter: canonical(joinedAfter) } : {}),
  };
  if (joinedBefore && joinedAfter && Date.parse(joinedAfter) >= Date.parse(joinedBefore)) {
    context.addIssue({ code: "custom", path: ["joinedAfter"], message: "must be before joinedBefore, else it matches nobody" });
  }
  return Object.keys(made).length === 0 ? undefined : made;
}

function canonical(rfc3339: string): string {
  return new Date(rfc3339).toISOString();
}
