/** The door of `cluster`: the other nodes, and Redis on the way to them. */
export { Cluster } from "./cluster.js";
export type { ClusterObserver } from "./observer.js";
export { type OpenCluster, type OpenOptions, openCluster } from "./open.js";
export * from "./types.js";
