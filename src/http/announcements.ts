import express, { type Request, type Response, type Router } from "express";
import { actPayload, readAct } from "./acts.js";
import { actorOf, admitStaff, requireRank } from "./admission.js";
import type { Credentials } from "./credentials.js";
import { csvLine } from "./csv.js";
import { sendDownload } from "./download.js";
import { MAX_ANNOUNCEMENT_BYTES } from "./limits.js";
import type { AnnouncementsApi, ModerationApi } from "./ports.js";
import { formatOf, idIn, listQuery, reportQuery } from "./queries.js";

export interface AnnouncementsOptions {
  credentials: Credentials;
  announcements: AnnouncementsApi;
  moderation: ModerationApi;
}

/** `/v1/announcements`: what servers and moderators say to all. Writes are acts, and stand in the audit log. */
export function createAnnouncementsRouter({ credentials, announcements, moderation }: AnnouncementsOptions): Router {
  const router = express.Router();
  router.use(admitStaff(credentials));

  router.post("/", async (request, response) => {
    const actor = actorOf(response);
    const what = { act: "announce" };
    const payload = await actPayload(request, MAX_ANNOUNCEMENT_BYTES, moderation, actor, what);
    const { announcement, created } = await moderation.guard(actor, what, (record) => announcements.announce(actor.by, payload, record));
    response.status(created ? 201 : 200).json(announcement);
  });

  router.get("/", requireRank, async (request, response) => {
    response.json(await announcements.list(listQuery(request.query)));
  });

  router.get("/:id", requireRank, async (request, response) => {
    response.json(await announcements.get(idIn(request.params.id)));
  });

  for (const [method, act, verb] of [
    ["patch", "announcement.edit", "edit"],
    ["delete", "rescind", "rescind"],
  ] as const) {
    router[method]("/:id", async (request: Request, response: Response) => {
      const actor = actorOf(response);
      const { target, payload } = await readAct(request, MAX_ANNOUNCEMENT_BYTES, moderation, actor, act);
      response.json(await moderation.guard(actor, { act, target }, (record) => announcements[verb](target, actor.by, payload, record)));
    });
  }

  router.get("/:id/report", requireRank, async (request, response) => {
    const id = idIn(request.params.id);
    if (formatOf(request, ["csv"]) === "json") {
      response.json(await announcements.report(id, reportQuery(request.query)));
      return;
    }
    const header = csvLine(["user", "reachedAt", "seenAt", "acknowledgedAt"]);
    await sendDownload(response, { name: `announcement-${id}.csv`, type: "text/csv", header, lines: reportLines(announcements, id) });
  });

  return router;
}

async function* reportLines(announcements: AnnouncementsApi, id: string): AsyncGenerator<string> {
  for await (const { user, reachedAt, seenAt, acknowledgedAt } of announcements.reportRows(id)) {
    yield csvLine([user, reachedAt, seenAt, acknowledgedAt]);
  }
}
