import type { HostPort, RedisTarget } from "../../config/types.js";
import { ClusterNodes } from "./cluster-nodes.js";
import type { Dialer, ServerFacts } from "./connection.js";
import { wrongKind } from "./refusals.js";
import { findMaster } from "./sentinels.js";

/** Where to connect to now; often the same server twice. */
export interface Servers {
  publisher: HostPort;
  subscriber: HostPort;
}

/** Knows which servers the target means at the moment. */
export interface ServerFinder {
  /** @throws RedisRefused where waiting cannot help; anything else where it may. */
  find(): Promise<Servers>;
  /** @throws as `find` does, where a server that was connected to is not one to use. */
  check(facts: ServerFacts): void;
  /** Whether to leave the servers although they answer: others have taken their place. */
  moved(servers: Servers): Promise<boolean>;
}

export function finderFor(target: RedisTarget, dialer: Dialer): ServerFinder {
  switch (target.kind) {
    case "single":
      return {
        find: async () => ({ publisher: target.server, subscriber: target.server }),
        check: checkSingle,
        moved: async () => false,
      };
    case "sentinel":
      return sentinelFinder(dialer, target.sentinels, target.master);
    case "cluster": {
      const nodes = new ClusterNodes(dialer, target.seeds);
      return { find: () => nodes.find(), check: () => {}, moved: async () => false };
    }
  }
}

/** The first server that the address names. */
export function firstOf(target: RedisTarget): HostPort {
  const [first] = target.kind === "single" ? [target.server] : target.kind === "sentinel" ? target.sentinels : target.seeds;
  if (first === undefined) throw new Error("the address names no server");
  return first;
}

function checkSingle({ mode }: ServerFacts): void {
  if (mode === "cluster") throw wrongKind("this Redis is a node of a Cluster", "write redis+cluster:// and some of its nodes");
  if (mode === "sentinel") throw wrongKind("this is a Sentinel and no Redis", "write redis+sentinel://HOST,…/MASTERNAME");
}

function sentinelFinder(dialer: Dialer, sentinels: HostPort[], name: string): ServerFinder {
  const find = async (): Promise<Servers> => {
    const master = await findMaster(dialer, sentinels, name);
    return { publisher: master, subscriber: master };
  };
  return {
    find,
    check({ role }) {
      // What is published at a replica is heard by its own clients only. Sentinels name an old master until they have agreed on the new one.
      if (role === "replica" || role === "slave") throw new Error("the server that the Sentinels name is not the master yet");
    },
    async moved({ publisher }) {
      const { publisher: master } = await find();
      return master.host !== publisher.host || master.port !== publisher.port;
    },
  };
}
