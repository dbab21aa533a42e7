/** The door of `presence`: who is here, and on which nodes. */
export type { PeerMembers } from "./elsewhere.js";
export { Presence } from "./presence.js";
export { Roll, type RollPage, type RollQuery } from "./roll.js";
