/** (i): what a delivery costs where two nodes share the members and the events, and where two single nodes share nothing but the machine. */

import { openWindowOnBoth } from "../lib/cpu.mjs";
import { eventMaker } from "../lib/events.mjs";
import { EventLoad } from "../lib/http-load.mjs";
import { connectTo, deal, watchCounters, withNodes } from "../lib/nodes.mjs";
import { paced, saturated } from "../lib/saturation.mjs";
import { API_KEY } from "../lib/servers.mjs";
import { CALLERS, connectMembers, SERVICE_DIALECT } from "./throughput.mjs";

/** As many callers for each node as (a) and (b) have for theirs; they tell any of the members. */
function loadsOf(nodes, { recipients, options, seed }) {
  return nodes.map(({ port }, index) => {
    const makeEvent = eventMaker({ members: options.members, recipients, seed: seed * nodes.length + index, prefix: `bench-${index}` });
    return new EventLoad({ port, key: API_KEY, callers: CALLERS, makeEvent });
  });
}

/** `pace`: deliveries a second of each node; as many as it can where there is none. */
async function measure({ nodes, sides, pids, options, seed, recipients, pace }) {
  const counted = await watchCounters(nodes);
  const run = { sides, open: () => openWindowOnBoth(pids), options };
  const result = await (pace === undefined ? saturated(run) : paced({ ...run, rate: pace / recipients, seed }));
  const grown = await counted();
  return {
    ...result,
    rowsPerBatch: grown("belfry_append_batch_size_sum") / grown("belfry_append_batch_size_count"),
    conflictsPerDelivery: grown("belfry_append_conflicts_total") / result.total,
    messagesPerDelivery: grown('belfry_bus_messages_total{direction="out",kind="entries"}') / result.total,
  };
}

/** `options.members` members, dealt out to two nodes at random; each node's events are for any of them. */
export function twoNodes({ recipients, options, seed, pace }) {
  return withNodes({
    ...options,
    async use({ nodes, pids }) {
      const hands = deal({ count: options.members, parts: nodes.length, seed });
      const groups = await Promise.all(nodes.map((node, index) => connectTo(node, SERVICE_DIALECT, hands[index])));
      const loads = loadsOf(nodes, { recipients, options, seed });
      return measure({ nodes, sides: [{ loads, groups }], pids, options, seed, recipients, pace });
    },
  });
}

/** (a) or (b) on two single nodes at once, each with as many members: what a delivery costs a node while the other core is busy too. */
export function singleNodes({ recipients, options, seed, pace }) {
  return withNodes({
    ...options,
    apart: true,
    async use({ nodes, pids }) {
      const groups = await Promise.all(nodes.map(({ port }) => connectMembers(port, options.members)));
      const sides = loadsOf(nodes, { recipients, options, seed }).map((load, index) => ({ loads: [load], groups: [groups[index]] }));
      return measure({ nodes, sides, pids, options, seed, recipients, pace });
    },
  });
}
