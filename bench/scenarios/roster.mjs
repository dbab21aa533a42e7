/**
 * (l): what a node needs to know who is on another one. No socket is open and no Redis runs: two of the service's own `Cluster` in this
 * process hand each other the texts that would go over Redis, and members are entered as sessions would do it.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import pino from "pino";
import { sleep, until } from "../lib/clock.mjs";
import { memberName } from "../lib/events.mjs";

const LEARN_DEADLINE_MS = 60_000;
/** Members who come in a wave, how often one comes, and which part of all members come so. */
const WAVE = 100;
const WAVE_MS = 20;
const PART_IN_WAVES = 0.1;
/** Longer than two nodes take to hear of each other. */
const MEET_MS = 2_000;
/** How a store's history is named, which is the same for both. */
const DEPLOYMENT = "0123456789abcdef";

/** Collects garbage, and tells how many bytes are left. */
function usedBytes() {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  // The second finds what the first one's finalizers let go of.
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

const cpuMicroseconds = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** What stands for Redis: gives each text to all who have subscribed to its channel, and counts those about members. */
class Wire {
  messages = 0;
  bytes = 0;
  #listeners = new Map();

  /** A `Link`. `around(take)` runs whatever a text brings about on this side. */
  link(around) {
    return {
      publish: (channel, text) => {
        if (/"k":"(?:roster|moved)"/.test(text.slice(0, 100))) {
          this.messages++;
          this.bytes += Buffer.byteLength(text);
        }
        for (const give of this.#listeners.get(channel) ?? []) setImmediate(give, text);
        return true;
      },
      subscribe: (channel, listener) => {
        const listeners = this.#listeners.get(channel) ?? [];
        this.#listeners.set(channel, [...listeners, (text) => around(() => listener(text))]);
      },
      onReady: (listener) => setImmediate(listener),
      renew() {},
      async close() {},
    };
  }
}

/** What of the service takes part: its `Cluster` on `link`, and who it knows to be where. */
async function startNode(name, link) {
  // Not before it is built; a fresh clone has no such files, and the structure check asks for what is named by a text.
  const load = (door) => import(new URL(`../../dist/src/${door}/index.js`, import.meta.url).href);
  const [{ Cluster }, { Presence }] = await Promise.all([load("cluster"), load("presence")]);
  const presence = new Presence();
  const nothing = () => undefined;
  const cluster = new Cluster({
    link,
    adapterClients: nothing,
    deployment: DEPLOYMENT,
    name,
    version: "bench",
    log: { onAppend: () => nothing, hear: () => null, hearHead: () => null },
    presence,
    isShared: () => false,
    userOf: () => null,
    logger: pino({ level: "silent" }),
    metrics: { message: nothing, rubbish: nothing, gap: nothing, state: nothing, peers: nothing, skew: nothing, dropped: nothing },
  });
  return { presence, cluster };
}

/**
 * `count` members of the one node, learnt by the other: all at once, where they were there before the nodes met, or else in waves. The bytes
 * of those who came in waves are not told: the node that has them takes memory for them too.
 */
async function learn({ count, waves }) {
  const wire = new Wire();
  let learning = 0;
  const teller = await startNode(
    "teller",
    wire.link((take) => take()),
  );
  const learner = await startNode(
    "learner",
    wire.link((take) => {
      const from = cpuMicroseconds();
      take();
      learning += cpuMicroseconds() - from;
    }),
  );
  try {
    teller.cluster.start();
    if (!waves) for (let n = 0; n < count; n++) teller.presence.enter(memberName(n));
    if (waves) learner.cluster.start();
    await sleep(MEET_MS);
    const from = { cpu: cpuMicroseconds(), messages: wire.messages, bytes: wire.bytes, learning, used: usedBytes() };
    if (waves) {
      for (let n = 0; n < count; n++) {
        teller.presence.enter(memberName(n));
        if (n % WAVE === WAVE - 1) await sleep(WAVE_MS);
      }
    } else {
      learner.cluster.start();
    }
    await until(() => learner.presence.users === count, LEARN_DEADLINE_MS, `To learn of ${count} members`);
    const cpu = cpuMicroseconds() - from.cpu;
    learning -= from.learning;
    return {
      count,
      messages: wire.messages - from.messages,
      wireBytesPerMember: (wire.bytes - from.bytes) / count,
      microsecondsToLearn: learning / count,
      microsecondsToTell: (cpu - learning) / count,
      ...(waves ? {} : { bytesPerMember: (usedBytes() - from.used) / count }),
    };
  } finally {
    for (const { cluster, presence } of [teller, learner]) {
      cluster.stop();
      presence.close();
    }
  }
}

/** `options.remote` members learnt as a whole, and a tenth of them as they come. */
export async function roster({ options }) {
  return {
    whole: await learn({ count: options.remote, waves: false }),
    waves: await learn({ count: options.remote * PART_IN_WAVES, waves: true }),
  };
}
