/** The door of `moderation`: acts on members, and the log of them. */
export { AUDIT_STREAM } from "./audit.js";
export { Moderation } from "./moderation.js";
export type * from "./types.js";
