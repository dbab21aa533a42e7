/** (g): a topic that is written a thousand times a second, seen by a client that keeps up and by one that does not. */

import { Members } from "../lib/clients.mjs";
import { sleep } from "../lib/clock.mjs";
import { openWindow, residentBytes } from "../lib/cpu.mjs";
import { memberName, memberToken } from "../lib/events.mjs";
import { RouteLoad } from "../lib/http-load.mjs";
import { median } from "../lib/numbers.mjs";
import { API_KEY, JWT_SECRET, withService } from "../lib/servers.mjs";

const RATE = 1_000;
const CALLERS = 64;
const TOPIC = "bench:leaderboard";
const ROWS = 20;
const DIALECT = { namespace: "/live,", event: "update", marker: null, ready: '42/live,["online"' };
const SLOW_PACKET_MS = 1_000;
const LOOK_EVERY_MS = 100;
/** How long a client may take to have the last value, after the last write. */
const LAST_DEADLINE_MS = 30_000;

/** A leaderboard of about 1 KiB that differs from write to write. */
function leaderboard(n) {
  const rows = Array.from({ length: ROWS }, (_, place) => ({ user: memberName(place), name: `Member ${place}`, points: n * ROWS - place }));
  return JSON.stringify({ data: { rows } });
}

/** One client of the topic: what it got, and how far behind the topic it was then. */
class Viewer {
  updates = 0;
  last = 0;
  /** In writes and milliseconds, of each update. */
  behind = [];

  /** `topic.seq` is the topic's last seq as far as it was answered. */
  constructor(port, topic) {
    this.clients = new Members(port, DIALECT);
    this.clients.onPayload = ({ seq, at }) => {
      this.updates++;
      this.last = seq;
      this.behind.push({ writes: Math.max(0, topic.seq - seq), ms: Date.now() - Date.parse(at) });
    };
  }

  async join(user) {
    await this.clients.connect([{ user, auth: { token: memberToken(user, JWT_SECRET) } }]);
    const answered = new Promise((resolve) => {
      this.clients.onPacket = (data) => {
        if (data.toString("latin1", 0, 9) === "43/live,1") resolve();
      };
    });
    this.clients.members[0].ask(1, "join", { topics: [TOPIC] });
    await answered;
    this.clients.onPacket = null;
  }

  figures(seconds) {
    const of = (key) => this.behind.map((one) => one[key]);
    const most = (key) => this.behind.reduce((high, one) => Math.max(high, one[key]), 0);
    return {
      updates: this.updates,
      perSecond: this.updates / seconds,
      behindWrites: { median: median(of("writes")), most: most("writes") },
      behindMs: { median: median(of("ms")), most: most("ms") },
    };
  }
}

/**
 * `options.burst` seconds with the client that keeps up, in which memory reaches what such a load needs, then as many with a slow client
 * besides. Fails unless both end with the topic's last value.
 */
export function topic({ store, options }) {
  return withService({
    store,
    mongodBinary: options.mongodBinary,
    async use({ service, pids }) {
      const written = { seq: 0 };
      const load = new RouteLoad({ port: service.port, key: API_KEY, route: `PUT /v1/topics/${TOPIC}`, expected: 200, callers: CALLERS });
      let made = 0;
      const write = (seconds) =>
        load.steady({
          rate: RATE,
          seconds,
          makeBody: () => leaderboard(++made),
          onAnswer(text) {
            written.seq = Math.max(written.seq, Number(/"seq":(\d+)/.exec(text)[1]));
          },
        });
      const alone = new Viewer(service.port, written);
      await alone.join(memberName(0));
      await write(options.burst);
      alone.clients.close();

      const viewers = [new Viewer(service.port, written), new Viewer(service.port, written)];
      const [normal, slow] = viewers;
      for (const [n, viewer] of viewers.entries()) await viewer.join(memberName(n));
      slow.clients.members[0].takeOneEvery(SLOW_PACKET_MS);
      const resident = [residentBytes(service.pid)];
      const looking = setInterval(() => resident.push(residentBytes(service.pid)), LOOK_EVERY_MS);
      const before = { answered: load.answered, seq: written.seq };
      const close = openWindow(pids);
      await write(options.burst);
      const { cpu, wall, others } = close();
      clearInterval(looking);
      const seen = { normal: normal.figures(wall), slow: slow.figures(wall) };
      const end = performance.now();
      while (viewers.some(({ last }) => last !== written.seq)) {
        if (performance.now() - end > LAST_DEADLINE_MS) {
          throw new Error(`The topic's last value is ${written.seq}; the clients ended with ${normal.last} and ${slow.last}`);
        }
        await sleep(20);
      }
      const secondsToLast = (performance.now() - end) / 1000;
      load.close();
      for (const { clients } of viewers) clients.close();
      const quarter = Math.ceil(resident.length / 4);
      return {
        writes: load.answered - before.answered,
        stored: written.seq - before.seq,
        seconds: wall,
        ...seen,
        secondsToLast,
        residentBytes: median(resident.slice(0, quarter)),
        grownBytes: median(resident.slice(-quarter)) - median(resident.slice(0, quarter)),
        microsecondsPerWrite: (cpu / (load.answered - before.answered)) * 1e6,
        utilisation: cpu / wall,
        others,
      };
    },
  });
}
