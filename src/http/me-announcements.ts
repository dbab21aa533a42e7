import type { Router } from "express";
import { visitorOf } from "./admission.js";
import { payloadOf } from "./body.js";
import { MAX_ME_BYTES } from "./limits.js";
import type { MemberAnnouncementsApi } from "./ports.js";

/** A member's announcements: those that are there for them, and what they do about one. */
export function addAnnouncementRoutes(router: Router, announcements: MemberAnnouncementsApi): void {
  router.get("/announcements", async (_request, response) => {
    const view = await announcements.view(visitorOf(response).member);
    const { seq, items, unread, more } = await view.snapshot();
    response.json({ items, unread, more });
    // Whoever asks for them is reached by them, with a socket or without.
    view.passed(seq);
  });

  for (const verb of ["dismiss", "acknowledge"] as const) {
    router.post(`/${verb}`, async (request, response) => {
      const payload = await payloadOf(request, MAX_ME_BYTES);
      const { identity, member } = visitorOf(response);
      const { announcement } = Object(payload) as { announcement?: unknown };
      response.json(await announcements.settle(identity.user, verb, announcement, member));
    });
  }
}
