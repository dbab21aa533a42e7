/** The door of `lease`: what one node does for all. */
export { Lease } from "./lease.js";
export type * from "./types.js";
