/** The door of `tasks`: long work that reports how far it is. */
export { type Progress, Tasks } from "./tasks.js";
export * from "./types.js";
