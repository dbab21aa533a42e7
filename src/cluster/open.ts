import type { RedisTarget } from "../config/types.js";
import { deploymentOf } from "./bus.js";
import { Cluster, type ClusterOptions } from "./cluster.js";

export interface OpenOptions extends Omit<ClusterOptions, "link" | "adapterClients" | "deployment"> {
  target: RedisTarget;
  /** The store's epoch, which all nodes of one deployment have in common. */
  epoch: string;
}

/** This node among the others, and its connection to Redis. */
export interface OpenCluster {
  cluster: Cluster;
  /** Says goodbye and lets go of Redis. Harmless when called again. */
  close(): Promise<void>;
}

/**
 * Connects to Redis, or goes on without it where nobody answers yet. The cluster is to be started when all that shall hear of other nodes
 * is there. A node that is alone never loads the client.
 * @throws RedisRefused where waiting cannot help.
 */
export async function openCluster({ target, epoch, ...options }: OpenOptions): Promise<OpenCluster> {
  const { openRedisLink } = await import("./redis/link.js");
  const link = await openRedisLink(target, { log: options.logger });
  link.onRubbish(() => options.metrics.rubbish());
  const cluster = new Cluster({ ...options, link, adapterClients: () => link.adapterClients(), deployment: deploymentOf(epoch) });
  let closing: Promise<void> | null = null;
  return {
    cluster,
    close() {
      cluster.stop();
      closing ??= link.close();
      return closing;
    },
  };
}
