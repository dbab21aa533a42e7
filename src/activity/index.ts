/** The door of `activity`: what all nodes did in the last hour. */
export { Activity } from "./activity.js";
export type * from "./types.js";
