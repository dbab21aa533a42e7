/** The door of `http`: what the service says over HTTP. */
export { addressOf } from "./address.js";

export { createApp } from "./app.js";

export { type Assets, loadAssets, servePage } from "./assets.js";

export { Drain } from "./drain.js";

export { createIngestHandler } from "./ingest.js";

export { createHttpServer } from "./server.js";

export { renewTls } from "./tls.js";
