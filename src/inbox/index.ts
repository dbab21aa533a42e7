/** The inbox's door. */
export { firstPage, Inbox, MAX_PAGE_BYTES, type Snapshot } from "./inbox.js";
export { isoTime, streamOf, type WireEntry } from "./notification.js";
export * from "./requests.js";
export * from "./types.js";
