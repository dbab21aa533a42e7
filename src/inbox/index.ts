/** The inbox's door. */
export { Inbox } from "./inbox.js";
export { isoTime, type Notification } from "./notification.js";
export { firstPage, syncPage } from "./page.js";
export * from "./requests.js";
export * from "./types.js";
