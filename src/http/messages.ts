import express, { type Router } from "express";
import { admitMember, visitorOf } from "./admission.js";
import { payloadOf } from "./body.js";
import type { Credentials } from "./credentials.js";
import { MAX_ME_BYTES } from "./limits.js";
import type { MessagesApi } from "./ports.js";

/** `/v1/messages`: from one member to another. */
export function createMessagesRouter({ credentials, messages }: { credentials: Credentials; messages: MessagesApi }): Router {
  const router = express.Router();
  router.use(admitMember(credentials));

  router.post("/", async (request, response) => {
    const { user, name } = visitorOf(response).member;
    response.json(await messages.send({ user, name }, await payloadOf(request, MAX_ME_BYTES)));
  });

  return router;
}
