/** The core's door. */
export type { Decision } from "./lane.js";

export { type AppendAnswer, StreamLog, type StreamReader } from "./log.js";

export { Trimmer } from "./trimmer.js";
export * from "./types.js";
