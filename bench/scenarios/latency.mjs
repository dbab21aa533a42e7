/** How long a notification takes from the forum's request to the member, while the server has other things to do. */
import { openWindow } from "../lib/cpu.mjs";
import { eventMaker, randomSource } from "../lib/events.mjs";
import { EventLoad } from "../lib/http-load.mjs";
import { percentile } from "../lib/numbers.mjs";
import { verify } from "../lib/saturation.mjs";
import { API_KEY, withService } from "../lib/servers.mjs";
import { connectMembers } from "./throughput.mjs";

/** Connections for requests: so many that an event never waits for a free one, unless the server falls behind. */
const CALLERS = 256;
const RECIPIENTS = 10;

/**
 * Posts events of 10 recipients at random moments, `deliveriesPerSecond` on average. A latency runs from the moment at which the event was
 * due to the moment at which an entry of it was read from a member's socket. Result in milliseconds.
 */
export function latency({ store, deliveriesPerSecond, options, seed }) {
  return withService({
    store,
    mongodBinary: options.mongodBinary,
    async use({ service, pids }) {
      const members = await connectMembers(service.port, options.members);
      const makeEvent = eventMaker({ members: options.members, recipients: RECIPIENTS, seed, prefix: "bench" });
      const load = new EventLoad({ port: service.port, key: API_KEY, callers: CALLERS, makeEvent });
      const due = [];
      const latencies = [];
      const measureFrom = performance.now() + options.warmup * 1000;
      members.onPayload = ({ entries }) => {
        const now = performance.now();
        for (const entry of entries) {
          const at = due[Number(entry.data.comment.id.slice("bench-".length))];
          if (at >= measureFrom) latencies.push(now - at);
        }
      };
      const rate = deliveriesPerSecond / RECIPIENTS;
      const close = openWindow(pids);
      const seconds = options.warmup + options.latencyWindow;
      const random = randomSource(seed + 1);
      await load.scheduled({ rate, seconds, random, onSchedule: (n, at) => (due[n] = at) });
      const { cpu, wall, others } = close();
      await verify([load], [members]);
      load.close();
      members.close();
      latencies.sort((a, b) => a - b);
      return {
        deliveriesPerSecond,
        samples: latencies.length,
        p50: percentile(latencies, 0.5),
        p99: percentile(latencies, 0.99),
        max: latencies.at(-1),
        utilisation: cpu / wall,
        others,
      };
    },
  });
}
