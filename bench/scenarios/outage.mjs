/** (j): Redis away for a while, frozen or killed, under a steady load: how late members on the other node hear, and what that costs. */

import { sleep } from "../lib/clock.mjs";
import { processMilliseconds } from "../lib/cpu.mjs";
import { eventMaker, randomSource } from "../lib/events.mjs";
import { EventLoad } from "../lib/http-load.mjs";
import { Latencies } from "../lib/latencies.mjs";
import { connectTo, numbersFrom, withNodes } from "../lib/nodes.mjs";
import { verify } from "../lib/saturation.mjs";
import { API_KEY } from "../lib/servers.mjs";
import { SERVICE_DIALECT } from "./throughput.mjs";

/** Members on node A, to which all events go; `options.members` are on node B. */
const MEMBERS_OF_A = 100;
/** Events a second. Each tells one member of either node. */
const RATE = 100;
const CALLERS = 64;
/** Seconds of load before the fault, and after Redis is back. */
const BEFORE_SECONDS = 5;
const AFTER_SECONDS = 15;
/** A delivery that came by a hint is not later than this. */
const BY_HINT_MS = 100;
/** All is normal from a moment on: of the events due within so long from then, this share at most are later. */
const NORMAL_MS = 2_000;
const LATE_SHARE = 0.01;

/** The members of node A, which takes the events, and those of node B. */
const OWN = 0;
const OTHER = 1;

/** What can happen to Redis, and how it comes back. */
const FAULTS = {
  frozen: { begin: (redis) => redis.freeze(), end: (redis) => redis.thaw() },
  killed: { begin: (redis) => redis.kill9(), end: (redis) => redis.restart() },
};

/** Milliseconds from `back` until deliveries come by hints again; null where they did not before `end`. */
function untilNormal(deliveries, back, end) {
  const after = deliveries.filter(({ due }) => due >= back).sort((a, b) => a.due - b.due);
  const isNormal = (from) => {
    const some = after.filter(({ due }) => due >= from && due < from + NORMAL_MS);
    return some.filter(({ ms }) => ms > BY_HINT_MS).length <= some.length * LATE_SHARE;
  };
  const moments = [back, ...after.filter(({ ms }) => ms > BY_HINT_MS).map(({ due }) => due + 1)];
  const from = moments.find((moment) => moment + NORMAL_MS <= end && isNormal(moment));
  return from === undefined ? null : from - back;
}

/** One fault of `seconds` under load. The load goes on until everything that it has told has arrived. */
async function outage({ fault, seconds, redis, pids, load, latencies, random, settled }) {
  const length = BEFORE_SECONDS + seconds + AFTER_SECONDS;
  const posting = load.scheduled({ rate: RATE, seconds: length, random, onSchedule: latencies.onSchedule });
  const marks = {};
  const mark = (name) => {
    const services = pids.services.map((pid) => processMilliseconds([pid]));
    marks[name] = { at: performance.now(), services, store: processMilliseconds(pids.stores) };
  };
  const acting = (async () => {
    mark("start");
    await sleep(BEFORE_SECONDS * 1000);
    mark("away");
    await FAULTS[fault].begin(redis);
    await sleep(seconds * 1000);
    await FAULTS[fault].end(redis);
    mark("back");
    await sleep((AFTER_SECONDS - 1) * 1000);
    mark("end");
  })();
  await Promise.race([posting, acting]);
  await Promise.all([posting, acting]);
  await settled();
  const { start, away, back, end } = marks;
  const normalAfter = untilNormal(latencies.deliveries[OTHER], back.at, end.at);
  const share = (from, to) => {
    const of = (spent) => spent / (to.at - from.at);
    return { nodes: from.services.map((before, index) => of(to.services[index] - before)), store: of(to.store - from.store) };
  };
  const normalAt = back.at + (normalAfter ?? end.at - back.at);
  const phases = (group) => ({
    before: latencies.between(group, start.at, away.at),
    during: latencies.between(group, away.at, back.at),
    returning: latencies.between(group, back.at, normalAt),
    after: latencies.between(group, normalAt, end.at),
  });
  return {
    fault,
    seconds,
    normalAfter,
    own: phases(OWN),
    other: phases(OTHER),
    cpu: { before: share(start, away), during: share(away, back), after: share(back, end) },
  };
}

/**
 * `MEMBERS_OF_A` members on node A and `options.members` on node B; all events go to A. Each of the faults for each of `options.outages`
 * seconds, in turn. Milliseconds run from the moment at which an event was due to the moment at which it was read from a member's socket.
 */
export function outages({ options, say }) {
  return withNodes({
    ...options,
    async use({ nodes, redis, pids }) {
      const hands = [numbersFrom(0, MEMBERS_OF_A), numbersFrom(MEMBERS_OF_A, options.members)];
      const groups = [];
      for (const [index, node] of nodes.entries()) groups.push(await connectTo(node, SERVICE_DIALECT, hands[index]));
      const choose = (random) => hands.map((hand) => hand[Math.floor(random() * hand.length)]);
      const makeEvent = eventMaker({ choose, seed: 1, prefix: "bench" });
      const load = new EventLoad({ port: nodes[0].port, key: API_KEY, callers: CALLERS, makeEvent });
      const latencies = new Latencies(groups);
      const random = randomSource(2);
      const settled = () => verify([load], groups);
      const results = [];
      try {
        for (const seconds of options.outages) {
          for (const fault of Object.keys(FAULTS)) {
            say(`  Redis ${fault} for ${seconds} s`);
            results.push(await outage({ fault, seconds, redis, pids, load, latencies, random, settled }));
          }
        }
        return results;
      } finally {
        for (const one of [load, ...groups]) one.close();
      }
    },
  });
}
