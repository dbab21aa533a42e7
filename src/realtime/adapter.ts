import { createAdapter } from "@socket.io/redis-adapter";
import type { Namespace } from "socket.io";
import type { Nodes } from "./nodes.js";

/**
 * Joins a namespace to the same one of all other nodes. Only those that exist for good are joined: of one that is made up by a client each
 * would cost subscriptions of Redis, for no longer than it takes to refuse it; so Socket.IO keeps its adapter in memory for all others.
 */
export function joinNodes(namespace: Namespace, nodes: Nodes): void {
  const { pub, sub, key } = nodes.adapter();
  namespace.adapter = createAdapter(pub, sub, { key })(namespace);
}
