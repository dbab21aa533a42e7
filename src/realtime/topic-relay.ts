import type { Namespace } from "socket.io";
import type { Topics, TopicValue } from "../topics/index.js";
import { hearOthers } from "./adapter.js";
import { RELAY_TOPIC_MS } from "./limits.js";
import type { Nodes } from "./nodes.js";
import { Pace } from "./pace.js";

/** How other nodes are told a topic's new value. */
const EVENT = "value";

export interface TopicRelayRooms {
  nodes: Pick<Nodes, "onDoubt" | "rubbish">;
  /** Joined to the same one of the other nodes. */
  namespace: Namespace;
  topics: Pick<Topics, "subscribe" | "hear">;
  /** Reads what is watched here from the store. */
  reread: () => void;
}

/**
 * Brings topics' values to all nodes: who looks at which board changes with every page that is turned, so all are told. Of a busy topic the
 * newest value goes, as often as screens are told. What was lost is read from the store.
 */
export class TopicRelay {
  readonly #pace: Pace<TopicValue>;
  readonly #unsubscribe: Array<() => void>;
  /** Whether what listeners hear of now comes from another node. */
  #isHearing = false;

  constructor({ nodes, namespace, topics, reread }: TopicRelayRooms) {
    this.#pace = new Pace({ everyMs: RELAY_TOPIC_MS, send: (value) => namespace.serverSideEmit(EVENT, value) });
    const listener = (value: unknown): void => {
      this.#isHearing = true;
      try {
        topics.hear(value);
      } finally {
        this.#isHearing = false;
      }
    };
    this.#unsubscribe = [
      hearOthers(namespace, EVENT, nodes, listener),
      topics.subscribe((value) => {
        if (!this.#isHearing) this.#pace.offer(value.topic, value);
      }),
      nodes.onDoubt((since) => {
        if (since === 0) reread();
      }),
    ];
  }

  close(): void {
    for (const stop of this.#unsubscribe) stop();
    this.#pace.close();
  }
}
