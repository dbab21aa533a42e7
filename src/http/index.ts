/** The door of `http`: what the service says over HTTP. */
export { type AppOptions, createApp } from "./app.js";
export { assertJsonSafe } from "./body.js";
export { createIngestHandler, type IngestOptions } from "./ingest.js";
export type { CommunityApi, DiscourseApi, InboxApi, MarkAnswer, ReadinessApi } from "./ports.js";
export { createHttpServer } from "./server.js";
