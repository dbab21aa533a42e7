/** The door of `presence`: who is here. */
export { Presence } from "./presence.js";
