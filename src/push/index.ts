/** The door of `push`: devices that are told while no page is open. */
export { Push, type PushDevice } from "./push.js";
export type * from "./types.js";
