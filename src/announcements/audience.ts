import { setImmediate as breath } from "node:timers/promises";
import { BelfryError } from "../errors.js";
import type { MemberRecord } from "../members/types.js";
import type { Audience } from "./types.js";

/** What decides whether an announcement is for a member. `joinedAt`: milliseconds. */
export interface MemberFacts {
  user: string;
  roles: readonly string[];
  joinedAt: number;
}

/** Who is known, as far as audiences need it. Pages are in order of the ids' UTF-8 bytes. */
export interface MemberDirectory {
  page(after: string | null, limit: number): Promise<MemberRecord[]>;
  find(user: string): Promise<MemberRecord | null>;
}

export type AudienceTest = (member: MemberFacts) => boolean;

/** Members read at once. Threat: a walk over 100,000 members that fills memory, or starves the sessions between two breaths. */
const PAGE_MEMBERS = 500;

/** Named members looked up at once. Threat: as above. */
const FIND_TOGETHER = 50;

const everybody: AudienceTest = () => true;

/** The audience as a question about one member: made once for each announcement, asked for each member. */
export function audienceTest(audience: Audience | undefined): AudienceTest {
  if (audience === undefined) return everybody;
  const { roles, users, joinedBefore, joinedAfter } = audience;
  const named = new Set(users);
  const entitled = new Set(roles);
  const isOpen = roles === undefined && users === undefined;
  const before = joinedBefore === undefined ? Number.POSITIVE_INFINITY : Date.parse(joinedBefore);
  const after = joinedAfter === undefined ? Number.NEGATIVE_INFINITY : Date.parse(joinedAfter);
  return (member) =>
    member.joinedAt < before &&
    member.joinedAt > after &&
    (isOpen || named.has(member.user) || (entitled.size > 0 && member.roles.some((role) => entitled.has(role))));
}

/** The known members of an audience, page by page (some of them empty), in order of their ids. */
export async function* audienceOf(audience: Audience | undefined, members: MemberDirectory): AsyncGenerator<MemberRecord[]> {
  const isFor = audienceTest(audience);
  if (audience?.users !== undefined && audience.roles === undefined) {
    const users = audience.users.toSorted(compareIds);
    for (let start = 0; start < users.length; start += FIND_TOGETHER) {
      const found = await findAll(users.slice(start, start + FIND_TOGETHER), members);
      yield found.filter((member) => member !== null).filter(isFor);
    }
    return;
  }
  for (let after: string | null = null; ; ) {
    const page: MemberRecord[] = await members.page(after, PAGE_MEMBERS);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page.filter(isFor);
    after = last.user;
    await breath();
  }
}

/**
 * Refuses an audience that reaches nobody. One that only asks for a later joining may be for members to come.
 * @throws BelfryError `not_found` naming the first user who is not known; `bad_request` where no known member fits.
 */
export async function requireAudience(audience: Audience | undefined, members: MemberDirectory, now: number): Promise<void> {
  if (audience === undefined) return;
  const { users = [], roles, joinedAfter, joinedBefore } = audience;
  for (let start = 0; start < users.length; start += FIND_TOGETHER) {
    const some = users.slice(start, start + FIND_TOGETHER);
    const unknown = (await findAll(some, members)).indexOf(null);
    if (unknown >= 0) throw new BelfryError("not_found", `No member ${JSON.stringify(some[unknown])} is known; nothing was announced.`);
  }
  const isForLater = joinedAfter !== undefined && (joinedBefore === undefined || Date.parse(joinedBefore) > now);
  if (isForLater && roles === undefined && users.length === 0) return;
  for await (const page of audienceOf(audience, members)) {
    if (page.length > 0) return;
  }
  throw new BelfryError("bad_request", "audience matches nobody: no known member fits; nothing was announced.");
}

/** The order in which stores give ids: that of their UTF-8 bytes, which is not that of JavaScript. */
export function compareIds(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function findAll(users: string[], members: MemberDirectory): Promise<Array<MemberRecord | null>> {
  return Promise.all(users.map((user) => members.find(user)));
}
