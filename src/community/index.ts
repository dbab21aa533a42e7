/** The community's door: who is told of what happens in a forum, and why. */
export { Community } from "./community.js";
export { DiscourseConnector, type DiscourseHook } from "./discourse.js";
export { parseEvent, parseNotification } from "./event-schema.js";
export type { Acquaintances, Fate, InboxWriter, Preferences, Publisher } from "./ports.js";
export * from "./types.js";
