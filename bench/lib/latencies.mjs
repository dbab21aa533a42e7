/** When events were due, and when each of their deliveries came. Moments are those of `performance.now()`. */
import { percentile } from "./numbers.mjs";

/** What an event's id begins with, before its number. */
const PREFIX = "bench-";

/** Events of an `eventMaker` with the prefix "bench", and what groups of members get of them. */
export class Latencies {
  /** By group: `{ due, ms }` of each delivery. */
  deliveries;
  #due = [];

  constructor(groups) {
    this.deliveries = groups.map((members) => {
      const deliveries = [];
      members.onPayload = ({ entries }) => {
        const now = performance.now();
        for (const entry of entries) {
          const due = this.#due[Number(entry.data.comment.id.slice(PREFIX.length))];
          deliveries.push({ due, ms: now - due });
        }
      };
      return deliveries;
    });
  }

  /** For `EventLoad.scheduled`: the nth event is due. */
  onSchedule = (n, at) => {
    this.#due[n] = at;
  };

  /** `{ samples, p50, p99, max }` in milliseconds, of what a group got of the events due between two moments. */
  between(group, from, to) {
    const some = this.deliveries[group].filter(({ due }) => due >= from && due < to);
    const sorted = some.map(({ ms }) => ms).sort((a, b) => a - b);
    return { samples: sorted.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99), max: sorted.at(-1) };
  }
}
