export { connect } from "./connect.js";
export { BelfryRefusal } from "./refusal.js";
export type * from "./types.js";
export { webAddress } from "./web-address.js";
