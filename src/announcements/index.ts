/** The door of `announcements`: what is said to all, and what each member makes of it. */
export { Announcements } from "./announcements.js";
export { ANNOUNCEMENTS_STREAM } from "./records.js";
export type * from "./types.js";
export type { AnnouncementView } from "./view.js";
