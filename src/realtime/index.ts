/** The door of `realtime`: Socket.IO and what stands behind its namespaces. */
export { Realtime } from "./realtime.js";
