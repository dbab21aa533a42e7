import express, { type Router } from "express";
import { admitStaff, requireRank } from "./admission.js";
import type { Credentials } from "./credentials.js";
import type { ActivityApi, PresenceApi, RollApi, TraceApi } from "./ports.js";
import { rollQuery, traceQuery } from "./queries.js";

export interface StaffOptions {
  credentials: Credentials;
  community: TraceApi;
  presence: PresenceApi;
  roll: RollApi;
  activity: ActivityApi;
}

/** `/v1/online`, `/v1/activity` and `/v1/trace`: what servers and moderators may know. */
export function createStaffRouter({ credentials, community, presence, roll, activity }: StaffOptions): Router {
  const router = express.Router();
  const admit = admitStaff(credentials);

  router.get("/online", admit, requireRank, (_request, response) => {
    const { users, sessions } = presence;
    response.json({ users, sessions });
  });

  router.get("/online/members", admit, requireRank, async (request, response) => {
    response.json(await roll.page(rollQuery(request.query)));
  });

  router.get("/activity", admit, requireRank, async (_request, response) => {
    response.json({ minutes: await activity.lastHour() });
  });

  router.get("/trace", admit, requireRank, async (request, response) => {
    const { user, event } = traceQuery(request.query);
    response.json(await community.trace(user, event));
  });

  return router;
}
