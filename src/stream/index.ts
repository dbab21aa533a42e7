/** The core's door. */
export { Follower } from "./follower.js";
export type { Decision } from "./lane.js";

export { type AppendAnswer, StreamLog, type StreamReader } from "./log.js";

export { Trimmer } from "./trimmer.js";
export * from "./types.js";
