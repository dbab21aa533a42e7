import type { Router } from "express";
import { visitorOf } from "./admission.js";
import { payloadOf } from "./body.js";
import { MAX_ME_BYTES } from "./limits.js";
import type { PreferencesApi } from "./ports.js";

/** What a member wants to be told: watch levels and blocks. */
export function addSettingsRoutes(router: Router, preferences: PreferencesApi): void {
  router.get("/levels", async (_request, response) => {
    response.json(await preferences.levelsOf(visitorOf(response).identity.user));
  });

  router.put("/levels", async (request, response) => {
    const payload = await payloadOf(request, MAX_ME_BYTES);
    response.json(await preferences.setLevel(visitorOf(response).identity.user, payload));
  });

  router.get("/blocks", async (_request, response) => {
    response.json(await preferences.blocksOf(visitorOf(response).identity.user));
  });

  for (const [method, blocked] of [
    ["put", true],
    ["delete", false],
  ] as const) {
    router[method]("/blocks/:user", async (request, response) => {
      response.json(await preferences.setBlock(visitorOf(response).identity.user, request.params.user, blocked));
    });
  }
}
