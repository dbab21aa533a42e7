/** The inbox's door. */
export { firstPage, Inbox, type Snapshot } from "./inbox.js";
export { isoTime, type WireEntry } from "./notification.js";
export * from "./requests.js";
export * from "./types.js";
