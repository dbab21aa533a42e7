/** The door of `members`: who is known, and what a moderator has laid on them. */
export { Members } from "./members.js";
export { parseRegistration } from "./requests.js";
export { refuseBanned, refuseMuted, standing } from "./sanctions.js";
export type * from "./types.js";
