import { z } from "zod";
import type { Announcements } from "../announcements/index.js";
import { type Identity, rankOf, type TokenVerifier } from "../auth/index.js";
import { checked, id } from "../checked.js";
import { BelfryError } from "../errors.js";
import { parseRefresh } from "../inbox/requests.js";
import { type Members, refuseBanned } from "../members/index.js";
import type { Actor, AuditQuery, Moderation } from "../moderation/index.js";
import { fieldOf } from "./requests.js";

/** Members of a report and entries of the audit log in one answer. Threat: one answer that fills memory or a slow connection. */
const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 50;

/** Characters of an act's name. Threat: a filter that is longer than any name. */
const MAX_ACT_LENGTH = 64;

const limit = z.int().min(1).max(MAX_LIMIT).nullish();
const reportRequest = z.object({ id, after: id.nullish(), limit });
const auditRequest = z.object({
  before: id.nullish(),
  limit,
  by: id.nullish(),
  act: z.string().min(1).max(MAX_ACT_LENGTH).nullish(),
  target: id.nullish(),
});

/** What a request may know of the session that it came in on. */
export interface Moderator {
  readonly user: string;
  readonly actor: Actor;
  /** The session goes on with what the new token says. */
  renew(identity: Identity, rank: NonNullable<Actor["rank"]>): void;
}

export interface ModerationRequestRooms {
  moderation: Pick<Moderation, "mute" | "unmute" | "kick" | "ban" | "unban" | "guard" | "audit">;
  announcements: Pick<Announcements, "announce" | "edit" | "rescind" | "report">;
  members: Pick<Members, "arrive">;
  verifier: TokenVerifier;
}

type Handler = (moderator: Moderator, payload: unknown) => Promise<object>;

/** One handler for each client event of `/moderation`; it resolves with the answer's fields besides `ok`, or throws `BelfryError`. */
export function moderationHandlers(rooms: ModerationRequestRooms): ReadonlyMap<string, Handler> {
  const { moderation, announcements, members, verifier } = rooms;
  const acts = (["mute", "unmute", "kick", "ban", "unban"] as const).map((act): [string, Handler] => [
    act,
    ({ actor }, payload) => moderation[act](actor, fieldOf(payload, "user"), payload),
  ]);
  return new Map<string, Handler>([
    ["announce", announce],
    ["edit", change("announcement.edit", "edit")],
    ["rescind", change("rescind", "rescind")],
    ["report", async (_moderator, payload) => report(payload)],
    ["audit", async (_moderator, payload) => moderation.audit(auditQuery(payload))],
    ["refresh", refresh],
    ...acts,
  ]);

  function announce({ actor }: Moderator, payload: unknown): Promise<object> {
    return moderation.guard(actor, { act: "announce" }, async (record) => {
      const { announcement } = await announcements.announce(actor.by, payload, record);
      return announcement;
    });
  }

  /** A change of the announcement that the payload names. */
  function change(act: string, verb: "edit" | "rescind"): Handler {
    return ({ actor }, payload) => {
      const target = fieldOf(payload, "id");
      const words = typeof target === "string" ? { act, target } : { act };
      return moderation.guard(actor, words, (record) => announcements[verb](checked(id, target, "id"), actor.by, payload, record));
    };
  }

  function report(payload: unknown): Promise<object> {
    const { id: announcement, after, limit: most } = checked(reportRequest, payload, "The payload");
    return announcements.report(announcement, { ...(after == null ? {} : { after }), limit: most ?? DEFAULT_LIMIT });
  }

  async function refresh(moderator: Moderator, payload: unknown): Promise<object> {
    const identity = await verifier.verify(parseRefresh(payload));
    if (identity.user !== moderator.user) {
      throw new BelfryError("forbidden", "The new token is another member's; disconnect and connect with it instead.");
    }
    const rank = rankOf(identity.roles);
    if (rank === null) throw new BelfryError("forbidden", "The new token has neither the role moderator nor admin.");
    refuseBanned(await members.arrive(identity), Date.now());
    moderator.renew(identity, rank);
    return { expiresAt: new Date(identity.expiresAt).toISOString() };
  }
}

function auditQuery(payload: unknown): AuditQuery {
  const { before, limit: most, by, act, target } = checked(auditRequest, payload ?? {}, "The payload");
  return {
    before: before ?? undefined,
    limit: most ?? DEFAULT_LIMIT,
    by: by ?? undefined,
    act: act ?? undefined,
    target: target ?? undefined,
  };
}
