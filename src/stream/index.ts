/** The core's door. */
export type { Decision, Draft } from "./lane.js";
export { IDEMPOTENCY_WINDOW_MS } from "./limits.js";
export { type AppendAnswer, type Published, type PublishRequest, type RecipientResult, StreamLog, type StreamReader } from "./log.js";
export type { WriterObserver } from "./settlement.js";
export { Trimmer } from "./trimmer.js";
export * from "./types.js";
