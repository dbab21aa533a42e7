/** (e): what it costs to tell all who are connected, on the service and by a bare broadcast of the same bytes. */

import { Members } from "../lib/clients.mjs";
import { monotonicMicroseconds, sleep } from "../lib/clock.mjs";
import { openWindow, processMilliseconds } from "../lib/cpu.mjs";
import { announcementBody, memberName, memberToken, samplePayloadOfAnnouncement } from "../lib/events.mjs";
import { RouteLoad } from "../lib/http-load.mjs";
import { median } from "../lib/numbers.mjs";
import { knowMembers } from "../lib/prepare.mjs";
import { API_KEY, JWT_SECRET, startBaseline, withService } from "../lib/servers.mjs";
import { metricOf } from "./throughput.mjs";

const MARKER = '"kind":"announcement"';
const DIALECT = {
  namespace: "/notifications,",
  event: "entries",
  marker: MARKER,
  ready: '42/notifications,["synced",{"stream":"announcements"',
};
const BARE_DIALECT = { namespace: "/notifications,", event: "entries", marker: MARKER, ready: "40/notifications," };

/** Announcements written while nobody is connected, to see what a write takes by itself; the first ones only warm up. */
const ALONE = { warmup: 200, measured: 50 };
/** How long an announcement may take to reach all who are connected until the run fails. */
const ARRIVAL_DEADLINE_MS = 20_000;
/** After the last one, for anything that arrives twice. */
const AFTERWARDS_MS = 100;
/** Who was reached is written once a second: a server that used less than this share of a core for longer has written it all. */
const IDLE_SHARE = 0.15;
const IDLE_MS = 1_200;

/** Resolves when the processes have nothing left to do. */
async function idle(pids) {
  for (let share = 1; share > IDLE_SHARE; ) {
    const before = processMilliseconds(pids);
    await sleep(IDLE_MS);
    share = (processMilliseconds(pids) - before) / IDLE_MS;
  }
}

/** Announces `count` times, each when all members have the one before. Result: milliseconds of each, on the clock and of the server's CPU. */
async function inARow({ members, pid, count, announce }) {
  const spans = [];
  for (let n = 0; n < count; n++) {
    const goal = members.received + members.members.length;
    const from = { at: performance.now(), cpu: processMilliseconds([pid]) };
    await announce();
    while (members.received < goal) {
      const isLate = performance.now() - from.at > ARRIVAL_DEADLINE_MS;
      if (isLate) throw new Error(`${goal - members.received} members did not get an announcement`);
      await new Promise(setImmediate);
    }
    spans.push({ wall: performance.now() - from.at, cpu: processMilliseconds([pid]) - from.cpu });
  }
  return spans;
}

async function measured({ members, pids, announce, options, onWindow }) {
  members.onLost = (user) => {
    throw new Error(`${user} lost its connection during the run`);
  };
  await inARow({ members, pid: pids[0], count: options.announcements.warmup, announce });
  await idle(pids);
  const from = { received: members.received, bytes: members.bytes, packets: members.packets };
  const windowFrom = monotonicMicroseconds();
  const close = openWindow(pids);
  const spans = await inARow({ members, pid: pids[0], count: options.announcements.measured, announce });
  await idle(pids);
  const window = close();
  onWindow?.(windowFrom, monotonicMicroseconds());
  await sleep(AFTERWARDS_MS);
  const each = options.announcements.warmup + options.announcements.measured;
  const wrong = [...members.counts()].filter(([, received]) => received !== each);
  if (wrong.length > 0) throw new Error(`${wrong.length} members got another number than ${each}: ${wrong.slice(0, 5).join("; ")}`);
  members.close();
  const deliveries = members.received - from.received;
  return {
    deliveries,
    ...window,
    perCpuSecond: deliveries / window.cpu,
    perWallSecond: deliveries / window.wall,
    utilisation: window.cpu / window.wall,
    bytesPerDelivery: (members.bytes - from.bytes) / deliveries,
    deliveriesPerPacket: deliveries / (members.packets - from.packets),
    microsecondsOfOne: (median(spans.map(({ cpu }) => cpu)) * 1000) / members.members.length,
    millisecondsToAll: median(spans.map(({ wall }) => wall)),
  };
}

/**
 * What a write takes by itself; of its CPU, the server's and the database's, a part for each of `deliveries`. Later the database is busy with
 * who was reached as well.
 */
async function alone({ port, pids, load, deliveries }) {
  for (let n = 0; n < ALONE.warmup; n++) await load.one(announcementBody());
  const before = await metricOf(port, "belfry_entries_appended_total");
  const [pid, ...storePids] = pids;
  const spans = [];
  for (let n = 0; n < ALONE.measured; n++) {
    const from = { at: performance.now(), cpu: processMilliseconds([pid]), store: processMilliseconds(storePids) };
    await load.one(announcementBody());
    const to = { cpu: processMilliseconds([pid]), store: processMilliseconds(storePids) };
    spans.push({ wall: performance.now() - from.at, cpu: to.cpu - from.cpu, store: to.store - from.store });
  }
  const entries = ((await metricOf(port, "belfry_entries_appended_total")) - before) / ALONE.measured;
  const middle = (key) => median(spans.map((span) => span[key]));
  return {
    entriesPerAnnouncement: entries,
    millisecondsToWrite: middle("wall"),
    microsecondsToWrite: ((middle("cpu") + middle("store")) * 1000) / deliveries,
    microsecondsOfStore: (middle("store") * 1000) / deliveries,
  };
}

/** Throws unless the baseline sends the same number of bytes as the service. */
function compareSample(payload) {
  const sample = samplePayloadOfAnnouncement(payload.entries[0].seq);
  if (JSON.stringify(sample).length === JSON.stringify(payload).length) return;
  throw new Error(`The baseline's announcement is out of date. Sent: ${JSON.stringify(payload)}; the baseline: ${JSON.stringify(sample)}`);
}

/** The service with `options.known` members, `options.members` of them connected. `profileDir` and `onWindow` are for the profiler. */
export function announcements({ store, options, profileDir, onWindow }) {
  return withService({
    store,
    mongodBinary: options.mongodBinary,
    profileDir,
    prepare: (where) => knowMembers(where, options.known),
    async use({ service, pids }) {
      const load = new RouteLoad({ port: service.port, key: API_KEY, route: "POST /v1/announcements", expected: 201, callers: 1 });
      const written = await alone({ port: service.port, pids, load, deliveries: options.members });
      const members = new Members(service.port, DIALECT);
      await members.connect(
        Array.from({ length: options.members }, (_, n) => ({
          user: memberName(n),
          auth: { token: memberToken(memberName(n), JWT_SECRET) },
        })),
      );
      let first = null;
      members.onPayload = (payload) => {
        first = payload;
        members.onPayload = null;
      };
      const result = await measured({ members, pids, announce: () => load.one(announcementBody()), options, onWindow });
      load.close();
      compareSample(first);
      return { ...result, ...written, microsecondsOfOne: result.microsecondsOfOne + written.microsecondsOfStore };
    },
  });
}

/** `io.of("/notifications").emit` of the same bytes, to as many. */
export async function bareBroadcast({ options }) {
  const server = await startBaseline("bare-socketio");
  try {
    const members = new Members(server.port, BARE_DIALECT);
    await members.connect(Array.from({ length: options.members }, (_, n) => ({ user: memberName(n), auth: { user: memberName(n) } })));
    let seq = ALONE.warmup + ALONE.measured;
    const announce = async () => {
      server.child.send({ broadcast: ++seq });
    };
    return await measured({ members, pids: [server.pid], announce, options });
  } finally {
    server.child.kill("SIGKILL");
  }
}
