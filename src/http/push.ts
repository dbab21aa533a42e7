import express, { type Router } from "express";
import { BelfryError } from "../errors.js";
import { visitorOf } from "./admission.js";
import { payloadOf } from "./body.js";
import { MAX_ME_BYTES } from "./limits.js";
import type { PushApi } from "./ports.js";

/** `/v1/push`: what a browser must know to subscribe, whoever is signed in. */
export function createPushRouter(push: PushApi | null): Router {
  const router = express.Router();
  router.get("/", (_request, response) => {
    response.json({ publicKey: required(push).publicKey });
  });
  return router;
}

/** A member's devices that are told while no page is open. */
export function addPushRoutes(router: Router, push: PushApi | null): void {
  router.get("/push", async (_request, response) => {
    response.json(await required(push).list(visitorOf(response).identity.user));
  });

  router.put("/push", async (request, response) => {
    const payload = await payloadOf(request, MAX_ME_BYTES);
    const userAgent = request.headers["user-agent"];
    response.json(await required(push).subscribe(visitorOf(response).identity.user, payload, userAgent));
  });

  router.delete("/push", async (request, response) => {
    const payload = await payloadOf(request, MAX_ME_BYTES);
    response.json(await required(push).unsubscribe(visitorOf(response).identity.user, payload));
  });
}

function required(push: PushApi | null): PushApi {
  if (push === null) throw new BelfryError("not_found", "Web push is off on this service.");
  return push;
}
