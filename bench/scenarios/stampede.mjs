/** (k): a node is killed and all its members arrive at the other one at once: how long that takes, and what those already there notice. */

import { Members } from "../lib/clients.mjs";
import { sleep } from "../lib/clock.mjs";
import { openWindow, requireOpenFiles, residentBytes } from "../lib/cpu.mjs";
import { eventMaker, randomSource } from "../lib/events.mjs";
import { EventLoad } from "../lib/http-load.mjs";
import { Latencies } from "../lib/latencies.mjs";
import { account, connectTo, numbersFrom, withNodes } from "../lib/nodes.mjs";
import { median } from "../lib/numbers.mjs";
import { verify } from "../lib/saturation.mjs";
import { API_KEY } from "../lib/servers.mjs";
import { SERVICE_DIALECT } from "./throughput.mjs";

/** Members on the node that stays, and events a second for one of them each. */
const STAYING = 100;
const RATE = 100;
const CALLERS = 64;
/** Entries that each arriving member has shown, and those that its cursor says it has missed. */
const SHOWN = 2;
const MISSED = 3;
const RECIPIENTS = 10;
/** How long all of them may take to be synced until the run fails. */
const ARRIVAL_DEADLINE_MS = 60_000;
/** Socket.IO's pauses after a connection that did not come about: from half to one and a half times, doubled each time up to the longest. */
const RECONNECT_MS = 1_000;
const RECONNECT_MOST_MS = 5_000;
const LOOK_EVERY_MS = 20;
/** Files and sockets that a process needs besides its members' connections. */
const OTHER_FILES = 300;

/** Gives each of the members with these numbers so many entries by way of the node to which they are connected. Result: the epoch. */
async function haveEntries({ node, members, numbers, entries }) {
  let epoch;
  members.onPayload = (payload) => {
    epoch = payload.epoch;
  };
  let next = 0;
  const choose = () => Array.from({ length: RECIPIENTS }, () => numbers[next++ % numbers.length]);
  const makeEvent = eventMaker({ choose, seed: 1, prefix: "earlier" });
  const load = new EventLoad({ port: node.port, key: API_KEY, callers: CALLERS, makeEvent });
  await load.saturate((numbers.length * entries) / RECIPIENTS);
  await verify([load], [members]);
  load.close();
  return epoch;
}

/** Connects a member until it is synced: after a refusal when the server said, after a lost connection as Socket.IO's client does. */
async function arrive({ members, who, random, tally }) {
  const deadline = performance.now() + ARRIVAL_DEADLINE_MS;
  for (let pause = RECONNECT_MS; ; ) {
    try {
      return await members.join(who);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      if (error.data === undefined) tally.lost++;
      else tally.refused++;
      await sleep(error.data?.retryAfterMs ?? pause * (0.5 + random()));
      pause = Math.min(2 * pause, RECONNECT_MOST_MS);
    }
  }
}

/** All at once. Result: milliseconds until each was synced, ascending, and how often one was refused or lost its connection. */
async function arriveAll({ members, accounts }) {
  const from = performance.now();
  const random = randomSource(3);
  const tally = { refused: 0, lost: 0 };
  const spans = await Promise.all(
    accounts.map(async (who) => {
      await arrive({ members, who, random, tally });
      return performance.now() - from;
    }),
  );
  return { spans: spans.sort((a, b) => a - b), ...tally };
}

/** Memory of a process, looked at again and again. `bytes`: what was seen since they were emptied. */
function watchMemory(pid) {
  const bytes = [];
  const timer = setInterval(() => bytes.push(residentBytes(pid)), LOOK_EVERY_MS);
  return { bytes, stop: () => clearInterval(timer) };
}

/** `load` for the members who stay, before and while node A is gone and its members arrive. */
async function underLoad({ nodes: [gone, other], options, load, latencies, memory, arriving, accounts }) {
  const seconds = options.stampede;
  const schedule = { rate: RATE, seconds: seconds.before + seconds.after, random: randomSource(4), onSchedule: latencies.onSchedule };
  const posting = load.scheduled(schedule);
  const start = performance.now();
  const acting = (async () => {
    await sleep(seconds.before * 1000);
    const residentBefore = median(memory.bytes.splice(0));
    const close = openWindow([other.pid]);
    gone.child.kill("SIGKILL");
    const at = performance.now();
    const { spans, ...tally } = await arriveAll({ members: arriving, accounts });
    const { cpu } = close();
    const all = spans.at(-1);
    return {
      milliseconds: { median: median(spans), all },
      ...tally,
      cpu,
      residentBefore,
      phases: { before: [start, at], meanwhile: [at, at + all] },
    };
  })();
  // A post that fails ends the run at once.
  await Promise.race([posting, acting]);
  const result = await acting;
  await posting;
  return result;
}

/** `options.arriving` members on node A, `STAYING` on node B, whose events go to B. Then A is killed. */
export function stampede({ options }) {
  return withNodes({
    ...options,
    async use({ nodes, pids }) {
      requireOpenFiles([process.pid, ...pids.services], 2 * options.arriving + STAYING + OTHER_FILES);
      const [gone, other] = nodes;
      const numbers = numbersFrom(STAYING, options.arriving);
      const before = await connectTo(gone, SERVICE_DIALECT, numbers);
      const staying = await connectTo(other, SERVICE_DIALECT, numbersFrom(0, STAYING));
      const arriving = new Members(other.port, SERVICE_DIALECT);
      arriving.onLost = (user) => {
        throw new Error(`${user} lost its connection after it had arrived`);
      };
      const epoch = await haveEntries({ node: gone, members: before, numbers, entries: SHOWN + MISSED });
      const accounts = numbers.map((n) => account(n, { cursors: { inbox: { epoch, seq: SHOWN } } }));
      const makeEvent = eventMaker({ members: STAYING, recipients: 1, seed: 2, prefix: "bench" });
      const load = new EventLoad({ port: other.port, key: API_KEY, callers: CALLERS, makeEvent });
      const latencies = new Latencies([staying]);
      const memory = watchMemory(other.pid);
      try {
        const { phases, ...result } = await underLoad({ nodes, options, load, latencies, memory, arriving, accounts });
        await verify([load], [staying]);
        checkMissed(arriving, options.arriving);
        return {
          arriving: options.arriving,
          missed: MISSED,
          ...result,
          residentPeak: Math.max(...memory.bytes),
          residentAfter: memory.bytes.at(-1),
          staying: { before: latencies.between(0, ...phases.before), meanwhile: latencies.between(0, ...phases.meanwhile) },
        };
      } finally {
        memory.stop();
        for (const one of [load, before, staying, arriving]) one.close();
      }
    },
  });
}

/** Throws unless each of the members got exactly what it had missed. */
function checkMissed(members, count) {
  const wrong = members.members.filter(({ received }) => received !== MISSED);
  if (wrong.length === 0 && members.members.length === count) return;
  const some = wrong.slice(0, 5).map(({ user, received }) => `${user} got ${received} of ${MISSED}`);
  throw new Error(`${members.members.length} of ${count} members arrived, ${wrong.length} with other entries: ${some.join(", ")}`);
}
