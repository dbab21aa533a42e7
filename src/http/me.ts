import express, { type Response, type Router } from "express";
import { BelfryError } from "../errors.js";
import { parseIds, parseList, parseStreamPage, parseUpTo } from "../inbox/index.js";
import { admitMember, visitorOf } from "./admission.js";
import { payloadOf } from "./body.js";
import type { Credentials } from "./credentials.js";
import { MAX_ME_BYTES } from "./limits.js";
import { addAnnouncementRoutes } from "./me-announcements.js";
import { addSettingsRoutes } from "./me-settings.js";
import type { InboxApi, MemberAnnouncementsApi, PreferencesApi, PushApi } from "./ports.js";
import { addPushRoutes } from "./push.js";
import { given, numberIn } from "./queries.js";

export interface MeOptions {
  credentials: Credentials;
  inbox: InboxApi;
  announcements: MemberAnnouncementsApi;
  preferences: PreferencesApi;
  /** Null: the operator has it off. */
  push: PushApi | null;
}

/** `/v1/me`: what is a member's own, for those without a socket. Payloads and answers are those of the socket events. */
export function createMeRouter({ credentials, inbox, announcements, preferences, push }: MeOptions): Router {
  const router = express.Router();
  router.use(admitMember(credentials));
  addInboxRoutes(router, inbox, announcements);
  addAnnouncementRoutes(router, announcements);
  addSettingsRoutes(router, preferences);
  addPushRoutes(router, push);
  return router;
}

function addInboxRoutes(router: Router, inbox: InboxApi, announcements: Pick<MemberAnnouncementsApi, "seen">): void {
  router.get("/notifications", async (request, response) => {
    const { filter, before, limit } = given(request.query);
    const query = parseList({ filter, before, limit: numberIn(limit) });
    response.json(await inbox.list(userOf(response), query));
  });

  router.get("/stream", async (request, response) => {
    const { after, limit } = given(request.query);
    // Without a cursor the stream is read from its base; who has no socket learns the epoch from the answer.
    const query = parseStreamPage({ after: after === undefined ? null : cursorIn(after), limit: numberIn(limit) });
    response.json(await inbox.sync(userOf(response), query.after, query.limit));
  });

  for (const verb of ["read", "unread", "archive", "unarchive"] as const) {
    router.post(`/${verb}`, async (request, response) => {
      const ids = parseIds(await payloadOf(request, MAX_ME_BYTES));
      response.json(await inbox.mark(userOf(response), verb, ids));
    });
  }

  router.post("/read_all", async (request, response) => {
    const upTo = parseUpTo(await payloadOf(request, MAX_ME_BYTES));
    response.json(await inbox.markUpTo(userOf(response), "read_all", upTo));
  });

  router.post("/seen", async (request, response) => {
    const upTo = parseUpTo(await payloadOf(request, MAX_ME_BYTES));
    const answer = await inbox.markUpTo(userOf(response), "seen", upTo);
    // Who has seen all of the inbox has seen the announcements beside it. The mark's own entry stands one further than what it marks.
    if (upTo === undefined || upTo + 1 >= answer.seq) await announcements.seen(userOf(response));
    response.json(answer);
  });
}

function userOf(response: Response): string {
  return visitorOf(response).identity.user;
}

/** `EPOCH:SEQ`. An epoch may itself hold a colon, so the last one counts. */
function cursorIn(after: unknown): { epoch: string; seq: unknown } {
  const colon = typeof after === "string" ? after.lastIndexOf(":") : -1;
  if (typeof after !== "string" || colon < 1)
    throw new BelfryError("bad_request", "`after` must be EPOCH:SEQ, the last entry that you have.");
  const seq = after.slice(colon + 1);
  return { epoch: after.slice(0, colon), seq: numberIn(seq) };
}
