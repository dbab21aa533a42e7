import express, { type Response, type Router } from "express";
import { admitServer } from "./admission.js";
import { payloadOf } from "./body.js";
import type { Credentials } from "./credentials.js";
import { MAX_TASK_BYTES, MAX_TOPIC_BYTES } from "./limits.js";
import type { TasksApi, TopicsApi } from "./ports.js";

/** `/v1/tasks`: where servers say how far a long task is. */
export function createTasksRouter({ credentials, tasks }: { credentials: Credentials; tasks: TasksApi }): Router {
  const router = express.Router();
  router.use(admitServer(credentials));

  router.put("/:id", async (request, response) => {
    const answer = await tasks.report(request.params.id, await payloadOf(request, MAX_TASK_BYTES));
    sendLean(response, answer);
  });

  return router;
}

/** `/v1/topics`: the values of live boards, as servers write them and can read them back. */
export function createTopicsRouter({ credentials, topics }: { credentials: Credentials; topics: TopicsApi }): Router {
  const router = express.Router();
  router.use(admitServer(credentials));

  router.put("/:name", async (request, response) => {
    const answer = await topics.write(request.params.name, await payloadOf(request, MAX_TOPIC_BYTES));
    sendLean(response, answer);
  });

  router.get("/:name", async (request, response) => {
    sendLean(response, await topics.read(request.params.name));
  });

  return router;
}

/** As `response.json`, without the digest of an ETag, which costs more than the rest where values are written a thousand times a second. */
function sendLean(response: Response, value: object): void {
  const text = JSON.stringify(value);
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.setHeader("Content-Length", Buffer.byteLength(text));
  response.end(text);
}
