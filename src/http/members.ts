import express, { type RequestHandler, type Router } from "express";
import { parseRegistration, standing } from "../members/index.js";
import type { MemberRecord, Sanction } from "../members/types.js";
import { readAct } from "./acts.js";
import { actorOf, admitStaff, requireRank, requireServerRank } from "./admission.js";
import { payloadOf } from "./body.js";
import type { Credentials } from "./credentials.js";
import { MAX_ACT_BYTES, MAX_REGISTRATION_BYTES } from "./limits.js";
import type { MembersApi, ModerationApi } from "./ports.js";
import { idIn } from "./queries.js";

export interface MembersOptions {
  credentials: Credentials;
  members: MembersApi;
  moderation: ModerationApi;
  clock: () => number;
}

/** `/v1/members`: who is known, and what moderators lay on them. */
export function createMembersRouter({ credentials, members, moderation, clock }: MembersOptions): Router {
  const router = express.Router();
  router.use(admitStaff(credentials));

  router.get("/:id", requireRank, async (request, response) => {
    response.json(shown(await members.require(idIn(request.params.id)), clock()));
  });

  router.put("/:id", requireServerRank, async (request, response) => {
    const registration = parseRegistration(request.params.id, await payloadOf(request, MAX_REGISTRATION_BYTES));
    response.json(shown(await members.register(registration), clock()));
  });

  const act =
    (verb: "mute" | "unmute" | "ban" | "unban" | "kick"): RequestHandler =>
    async (request, response) => {
      const actor = actorOf(response);
      const { target, payload } = await readAct(request, MAX_ACT_BYTES, moderation, actor, verb);
      response.json(await moderation[verb](actor, target, payload));
    };
  router.route("/:id/mute").put(act("mute")).delete(act("unmute"));
  router.route("/:id/ban").put(act("ban")).delete(act("unban"));
  router.post("/:id/kick", act("kick"));

  return router;
}

/** A member as staff see them. */
function shown({ user, name, roles, joinedAt, mute, ban }: MemberRecord, now: number): object {
  return {
    user,
    ...(name === null ? {} : { name }),
    roles,
    joinedAt: new Date(joinedAt).toISOString(),
    mute: shownSanction(standing(mute, now)),
    ban: shownSanction(standing(ban, now)),
  };
}

function shownSanction(sanction: Sanction | null): object | null {
  if (sanction === null) return null;
  const { until, why, by, at } = sanction;
  return { until: until === null ? null : new Date(until).toISOString(), why, by, at: new Date(at).toISOString() };
}
