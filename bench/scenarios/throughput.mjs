/** How many deliveries a second the server's core makes: (a), (b) and (h) on the service, (c) and (d) on the baselines. */

import { Members } from "../lib/clients.mjs";
import { sleep } from "../lib/clock.mjs";
import { openWindow } from "../lib/cpu.mjs";
import { eventMaker, memberName, memberToken } from "../lib/events.mjs";
import { EventLoad } from "../lib/http-load.mjs";
import { haveSettings } from "../lib/prepare.mjs";
import { figures, saturated, verify } from "../lib/saturation.mjs";
import { API_KEY, JWT_SECRET, startBaseline, startMongod, withService } from "../lib/servers.mjs";

/** How a member of each server talks; see `Members`. */
export const SERVICE_DIALECT = {
  namespace: "/notifications,",
  event: "entries",
  marker: '"kind":"notification"',
  ready: '42/notifications,["synced",{"stream":"inbox"',
};
export const BARE_DIALECT = { namespace: "", event: "entries", marker: '"kind":"notification"', ready: "40" };
const BY_HAND_DIALECT = { namespace: "", event: "notification", marker: null, ready: "40" };

/** Concurrent callers of one server's ingest. */
export const CALLERS = 64;
/** How often the bare baseline is told what has arrived. */
const ARRIVED_EVERY_MS = 10;

/** `count` members of the service, connected and synced. */
export async function connectMembers(port, count) {
  const members = new Members(port, SERVICE_DIALECT);
  await members.connect(
    Array.from({ length: count }, (_, n) => ({ user: memberName(n), auth: { token: memberToken(memberName(n), JWT_SECRET) } })),
  );
  return members;
}

async function connectPlain(port, count, dialect) {
  const members = new Members(port, dialect);
  await members.connect(Array.from({ length: count }, (_, n) => ({ user: memberName(n), auth: { user: memberName(n) } })));
  return members;
}

/** The value of one of the service's metrics. */
export async function metricOf(port, name) {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1]);
}

/** How many rows the service stored in one go on average. */
async function rowsPerBatch(port) {
  return (await metricOf(port, "belfry_append_batch_size_sum")) / (await metricOf(port, "belfry_append_batch_size_count"));
}

/** Callers of one server, until what arrives at its members has been measured and checked. */
function saturatedOne({ port, pids, members, recipients, options, seed, onWindow }) {
  const makeEvent = eventMaker({ members: options.members, recipients, seed, prefix: "bench" });
  const load = new EventLoad({ port, key: API_KEY, callers: CALLERS, makeEvent });
  return saturated({ sides: [{ loads: [load], groups: [members] }], open: () => openWindow(pids), options, onWindow });
}

/**
 * (a) and (b): the service on a new, empty store. (h): on one with `settings` settings of members who are not told. `profileDir` and
 * `onWindow` are for the profiler.
 */
export function service({ store, recipients, settings = 0, options, seed, profileDir, onWindow }) {
  return withService({
    store,
    mongodBinary: options.mongodBinary,
    profileDir,
    ...(settings === 0 ? {} : { prepare: (where) => haveSettings(where, settings, options.members) }),
    async use({ service: server, pids }) {
      const members = await connectMembers(server.port, options.members);
      const result = await saturatedOne({ port: server.port, pids, members, recipients, options, seed, onWindow });
      return { ...result, rowsPerBatch: await rowsPerBatch(server.port) };
    },
  });
}

/** (c): `io.to(room).emit` and nothing else. */
export async function bareSocketIo({ options }) {
  const server = await startBaseline("bare-socketio");
  try {
    const members = await connectPlain(server.port, options.members, BARE_DIALECT);
    const telling = setInterval(() => server.child.send({ arrived: members.received }), ARRIVED_EVERY_MS);
    server.child.send({ start: { members: options.members } });
    await sleep(options.warmup * 1000);
    const from = { received: members.received, bytes: members.bytes };
    const close = openWindow([server.pid]);
    await sleep(options.window * 1000);
    const window = close();
    const deliveries = members.received - from.received;
    const bytes = members.bytes - from.bytes;
    const sent = await new Promise((resolve) => {
      server.child.once("message", (message) => resolve(message.sent));
      server.child.send({ stop: true });
    });
    const load = { notified: sent, expectedOf: members.counts() };
    await verify([load], [members]).finally(() => clearInterval(telling));
    members.close();
    return figures(deliveries, window, { bytesPerDelivery: bytes / deliveries, deliveriesPerPacket: 1 });
  } finally {
    server.child.kill("SIGKILL");
  }
}

/** (d): Express, mongoose and Socket.IO by hand, with a MongoDB of its own on the same core. */
export async function byHand({ recipients, options, seed }) {
  const mongod = await startMongod(options.mongodBinary);
  let server;
  try {
    server = await startBaseline("by-hand", { MONGODB_URL: mongod.url });
    const members = await connectPlain(server.port, options.members, BY_HAND_DIALECT);
    return await saturatedOne({ port: server.port, pids: [server.pid, mongod.pid], members, recipients, options, seed });
  } finally {
    server?.child.kill("SIGKILL");
    await mongod.stop();
  }
}
