import express, { type Router } from "express";
import { admitStaff, requireRank } from "./admission.js";
import type { Credentials } from "./credentials.js";
import type { PresenceApi, TraceApi } from "./ports.js";
import { traceQuery } from "./queries.js";

export interface StaffOptions {
  credentials: Credentials;
  community: TraceApi;
  presence: PresenceApi;
}

/** `/v1/online` and `/v1/trace`: what servers and moderators may know. */
export function createStaffRouter({ credentials, community, presence }: StaffOptions): Router {
  const router = express.Router();
  const admit = admitStaff(credentials);

  router.get("/online", admit, requireRank, (_request, response) => {
    const { users, sessions } = presence;
    response.json({ users, sessions });
  });

  router.get("/trace", admit, requireRank, async (request, response) => {
    const { user, event } = traceQuery(request.query);
    response.json(await community.trace(user, event));
  });

  return router;
}
