import type { HostPort } from "../../config/types.js";
import { RedisRefused } from "../types.js";
import type { Dialer } from "./connection.js";
import { refusalOf, wrongKind } from "./refusals.js";

/** Nodes that are asked at once whether they work. Threat: every Belfry asks every node of a large Cluster after each fault. */
const MAX_ASKED = 8;

/** How many of these are nodes that REDIS_URL names: what the Cluster tells may be addresses that cannot be reached from here. */
const SEEDS_ASKED = 4;

/** How long others are waited for once a node has answered. Milliseconds. */
const GRACE_MS = 300;

/** Nodes that are remembered. Threat: an answer that never ends fills the memory. */
const MAX_KNOWN = 1_000;

interface Answer {
  server: HostPort;
  /** Whether it holds the Cluster for whole: false on a node that lost sight of the others, and on all when slots are not served. */
  ok: boolean;
  nodes: HostPort[];
}

/**
 * Finds nodes of a Redis Cluster that work. Every node carries every channel to all others, so none is the right one, no slots are looked at,
 * and a plain connection to any of them will do. The library's client for a Cluster is not used: when the node that has its subscriptions
 * hangs, it stays with it, and hears nothing until that node is back.
 */
export class ClusterNodes {
  readonly #dialer: Dialer;
  readonly #seeds: HostPort[];
  #known: HostPort[] = [];

  constructor(dialer: Dialer, seeds: HostPort[]) {
    this.#dialer = dialer;
    this.#seeds = seeds;
  }

  /**
   * Two nodes that answer, different ones where there are: then a node that has left the Cluster is noticed, as what is published on the one
   * does not arrive at the other.
   * @throws RedisRefused where every node that answers refuses; else what the last said.
   */
  async find(): Promise<{ publisher: HostPort; subscriber: HostPort }> {
    const { answers, faults } = await this.#ask(this.#candidates());
    // Nodes that hold it for broken still carry channels, so they are better than none.
    const sorted = [...shuffled(answers.filter(({ ok }) => ok)), ...shuffled(answers.filter(({ ok }) => !ok))];
    const [first, second] = sorted;
    if (first === undefined) throw faults.find((fault) => fault instanceof RedisRefused) ?? faults.at(-1) ?? new Error("no node answers");
    this.#known = first.nodes;
    return { publisher: first.server, subscriber: second === undefined || second.ok !== first.ok ? first.server : second.server };
  }

  #candidates(): HostPort[] {
    const all = [...shuffled(this.#seeds).slice(0, SEEDS_ASKED), ...shuffled(this.#known)];
    return [...new Map(all.map((server) => [`${server.host}:${server.port}`, server])).values()].slice(0, MAX_ASKED);
  }

  /** Asks all at once, and waits for those that are slower than the first for a moment only: a frozen one never answers. */
  async #ask(candidates: HostPort[]): Promise<{ answers: Answer[]; faults: unknown[] }> {
    const answers: Answer[] = [];
    const faults: unknown[] = [];
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      const settled = (): void => {
        if (answers.length + faults.length === candidates.length) resolve();
        else if (answers.length > 0) timer ??= setTimeout(resolve, GRACE_MS);
      };
      for (const candidate of candidates) {
        this.#askOne(candidate)
          .then((answer) => answers.push(answer))
          .catch((fault: unknown) => faults.push(refusalOf(fault, candidate) ?? fault))
          .finally(settled);
      }
    });
    clearTimeout(timer);
    return { answers: [...answers], faults: [...faults] };
  }

  async #askOne(server: HostPort): Promise<Answer> {
    const connection = this.#dialer.dial(server, "belfry-inquiry");
    try {
      const { mode } = await connection.open();
      if (mode === "standalone" || mode === "sentinel") {
        throw wrongKind(`${server.host}:${server.port} is no node of a Redis Cluster`, "write redis:// or redis+sentinel://");
      }
      const [info, slots] = await Promise.all([connection.command("CLUSTER", "INFO"), connection.command("CLUSTER", "SLOTS")]);
      return { server, ok: String(info).includes("cluster_state:ok"), nodes: nodesOf(slots, server.host) };
    } finally {
      connection.end(new Error("it is not needed any more"));
    }
  }
}

/** The nodes that an answer to CLUSTER SLOTS names: rows of first slot, last slot, and the nodes that serve them. Skips what is none. */
export function nodesOf(slots: unknown, askedHost: string): HostPort[] {
  const nodes = new Map<string, HostPort>();
  for (const row of Array.isArray(slots) ? slots : []) {
    for (const node of Array.isArray(row) ? row.slice(2) : []) {
      const [host, port] = Array.isArray(node) ? node : [];
      if (!Number.isInteger(port) || nodes.size >= MAX_KNOWN) continue;
      // A node that does not know its own address says nothing or a question mark, and is where it was asked.
      const known = typeof host === "string" && host !== "" && host !== "?" ? host : askedHost;
      nodes.set(`${known}:${port}`, { host: known, port });
    }
  }
  return [...nodes.values()];
}

function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
