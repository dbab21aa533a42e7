/** (f): a task that reports a thousand times a second, seen by its owner. */

import { Members } from "../lib/clients.mjs";
import { sleep } from "../lib/clock.mjs";
import { openWindow } from "../lib/cpu.mjs";
import { memberName, memberToken } from "../lib/events.mjs";
import { RouteLoad } from "../lib/http-load.mjs";
import { API_KEY, JWT_SECRET, withService } from "../lib/servers.mjs";
import { SERVICE_DIALECT } from "./throughput.mjs";

const RATE = 1_000;
const CALLERS = 64;
const TASK = "bench-import";
/** How often the end is reported: a server that had no answer says it again. */
const ENDS = 3;
/** How long the last packets may take, and how long is then waited for more. */
const END_DEADLINE_MS = 10_000;
const AFTERWARDS_MS = 500;

const reportOf = (state, percent) =>
  JSON.stringify({ user: memberName(0), state, step: "Importing posts", percent, title: "Import of the old forum" });

/** `options.burst` seconds of reports, then the end, three times; what a connected owner gets, and what a report costs. */
export function task({ store, options }) {
  return withService({
    store,
    mongodBinary: options.mongodBinary,
    async use({ service, pids }) {
      const owner = new Members(service.port, SERVICE_DIALECT);
      await owner.connect([{ user: memberName(0), auth: { token: memberToken(memberName(0), JWT_SECRET) } }]);
      await sleep(AFTERWARDS_MS);
      let packets = 0;
      let progress = 0;
      owner.onPacket = (data) => {
        packets++;
        if (data.includes('"progress"')) progress++;
      };
      const load = new RouteLoad({ port: service.port, key: API_KEY, route: `PUT /v1/tasks/${TASK}`, expected: 200, callers: CALLERS });
      const total = RATE * options.burst;
      let made = 0;
      const close = openWindow(pids);
      await load.steady({ rate: RATE, seconds: options.burst, makeBody: () => reportOf("running", (100 * made++) / total) });
      for (let n = 0; n < ENDS; n++) await load.one(reportOf("completed", 100));
      const { cpu, wall, others } = close();
      const deadline = performance.now() + END_DEADLINE_MS;
      while (owner.received === 0 && performance.now() < deadline) await sleep(20);
      await sleep(AFTERWARDS_MS);
      const reports = load.answered;
      load.close();
      owner.close();
      return {
        reports,
        seconds: wall,
        packets,
        progress,
        completions: owner.received,
        microsecondsPerReport: (cpu / reports) * 1e6,
        utilisation: cpu / wall,
        others,
      };
    },
  });
}
