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

/**
 * Calls the listener with what the same namespace of other nodes emits. What it throws is counted as rubbish: the adapter calls it out of an
 * async function of its own, from which an error would end the process. Returns how to stop that.
 */
export function hearOthers(
  namespace: Namespace,
  event: string,
  nodes: Pick<Nodes, "rubbish">,
  listener: (told: unknown) => void,
): () => void {
  const careful = (told: unknown): void => {
    try {
      listener(told);
    } catch {
      nodes.rubbish();
    }
  };
  namespace.on(event, careful);
  return () => namespace.off(event, careful);
}
