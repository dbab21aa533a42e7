/** From rounds to medians, ratios and a verdict. */
import { range, spread, table, whole } from "./numbers.mjs";
import { nodeTables, summariseNodes } from "./report-nodes.mjs";

/** What the scenarios are, in words. */
export const SCENARIOS = {
  "a-sqlite": "(a) durable ingest → delivered, 10 recipients, SQLite",
  "a-mongodb": "(a) durable ingest → delivered, 10 recipients, MongoDB",
  "b-sqlite": "(b) the same with 1 recipient, SQLite",
  "b-mongodb": "(b) the same with 1 recipient, MongoDB",
  c: "(c) bare Socket.IO io.to(room).emit",
  "d-10": "(d) by hand: express, Model.create, emit; 10 recipients",
  "d-1": "(d) by hand, 1 recipient",
  "e-sqlite": "(e) an announcement to all who are connected, SQLite",
  "e-mongodb": "(e) an announcement to all who are connected, MongoDB",
  "e-bare": "(e) bare Socket.IO io.of().emit",
  "h-sqlite": "(h) as (b), with settings of others stored, SQLite",
  "i-10": "(i) two nodes that share MongoDB and Redis, 10 recipients",
  "i-paced-10": "(i) two nodes that share, 4,000 deliveries a second in all",
  "i-paced-apart-10": "(i) two single nodes, 4,000 deliveries a second in all",
  "i-1": "(i) the same with 1 recipient",
  "i-apart-10": "(i) two single nodes side by side, 10 recipients",
  "i-apart-1": "(i) the same with 1 recipient",
};

/** What must be reached and what is aimed at: scenario as a multiple of another. */
const TARGETS = [
  { of: "a-sqlite", over: "c", required: 0.25, aim: 0.4 },
  { of: "a-mongodb", over: "c", required: 0.2, aim: 0.3 },
  { of: "a-sqlite", over: "d-10", required: 15, aim: 20 },
  { of: "a-mongodb", over: "d-10", required: 15, aim: 20 },
  { of: "b-sqlite", over: "c", required: 0.15, aim: 0.2 },
  { of: "b-mongodb", over: "c", required: 0.15, aim: 0.2 },
  { of: "h-sqlite", over: "b-sqlite", required: 0.9, aim: 1 },
];

/** What may be paid at most: CPU per delivery of a scenario, its write taken off, as a multiple of another's. */
const COSTS = [
  { of: "e-sqlite", over: "e-bare", atMost: 1.15 },
  { of: "e-mongodb", over: "e-bare", atMost: 1.15 },
];

/** Figures that only some scenarios have. */
const ONLY_SOME = [
  "rowsPerBatch",
  "microsecondsOfOne",
  "millisecondsToAll",
  "entriesPerAnnouncement",
  "millisecondsToWrite",
  "microsecondsToWrite",
  "busShare",
  "conflictsPerDelivery",
  "messagesPerDelivery",
];

/** Above this share of foreign work on the server's core a figure is marked as doubtful. */
const NOISY = 0.05;

/** (f): packets that an owner may get of a task, a second of it. Ten are sent a second; the rest is the first, the last and the end. */
const MOST_PACKETS_A_SECOND = 11;

function verdict(value, { required, aim }) {
  if (value >= aim) return "aim met";
  return value >= required ? "met" : "NOT MET";
}

/**
 * Medians and ratios of `rounds`: `[{ [scenario]: figures }]`. A ratio is taken within a round. There are two of each, by CPU second and by
 * wall second; the lower one decides.
 */
export function summarise(rounds) {
  const throughput = {};
  for (const name of Object.keys(SCENARIOS)) {
    const runs = rounds.map((round) => round[name]).filter((run) => run !== undefined);
    if (runs.length === 0) continue;
    const of = (key) => spread(runs.map((run) => run[key]));
    throughput[name] = {
      perCpuSecond: of("perCpuSecond"),
      perWallSecond: of("perWallSecond"),
      utilisation: of("utilisation"),
      bytesPerDelivery: of("bytesPerDelivery"),
      deliveriesPerPacket: of("deliveriesPerPacket"),
      storeShare: of("storeShare"),
      others: of("others"),
    };
    for (const key of ONLY_SOME.filter((one) => runs[0][one] !== undefined)) throughput[name][key] = of(key);
  }
  const targets = [];
  for (const target of TARGETS) {
    const both = rounds.filter((round) => round[target.of] !== undefined && round[target.over] !== undefined);
    if (both.length === 0) continue;
    const ratio = (key) => spread(both.map((round) => round[target.of][key] / round[target.over][key]));
    const byCpu = ratio("perCpuSecond");
    const byWall = ratio("perWallSecond");
    targets.push({ ...target, byCpu, byWall, verdict: verdict(Math.min(byCpu.median, byWall.median), target) });
  }
  const costs = COSTS.flatMap((cost) => {
    const both = rounds.filter((round) => round[cost.of] !== undefined && round[cost.over] !== undefined);
    if (both.length === 0) return [];
    const over = (microsecondsOf) => spread(both.map((round) => microsecondsOf(round[cost.of]) / microsecondsOf(round[cost.over])));
    const delivery = over(({ microsecondsOfOne, microsecondsToWrite = 0 }) => microsecondsOfOne - microsecondsToWrite);
    const written = over(({ microsecondsOfOne }) => microsecondsOfOne);
    const noted = over(({ perCpuSecond }) => 1e6 / perCpuSecond);
    return [{ ...cost, delivery, written, noted, verdict: delivery.median <= cost.atMost ? "met" : "NOT MET" }];
  });
  return { throughput, targets, costs, nodes: summariseNodes(rounds) };
}

function throughputTable(throughput) {
  const rows = [
    ["deliveries a second", "per CPU s", "min–max", "per wall s", "min–max", "core used", "mongod", "bytes", "rows a batch", ""],
  ];
  for (const [name, run] of Object.entries(throughput)) {
    rows.push([
      SCENARIOS[name],
      whole(run.perCpuSecond.median),
      range(run.perCpuSecond, whole),
      whole(run.perWallSecond.median),
      range(run.perWallSecond, whole),
      `${whole(run.utilisation.median * 100)} %`,
      run.storeShare.median > 0 ? `${whole(run.storeShare.median * 100)} %` : "",
      whole(run.bytesPerDelivery.median),
      run.rowsPerBatch === undefined ? "" : whole(run.rowsPerBatch.median),
      run.others.max > NOISY ? `noisy: others used up to ${whole(run.others.max * 100)} % of the core` : "",
    ]);
  }
  return table(rows);
}

function targetTable(targets) {
  const rows = [["ratio", "by CPU s", "min–max", "by wall s", "min–max", "required", "aim", "verdict"]];
  for (const target of targets) {
    const format = (value) => value.toFixed(target.required >= 1 ? 1 : 3);
    rows.push([
      `${target.of} ÷ ${target.over}`,
      format(target.byCpu.median),
      range(target.byCpu, format),
      format(target.byWall.median),
      range(target.byWall, format),
      `≥ ${target.required}`,
      String(target.aim),
      target.verdict,
    ]);
  }
  return table(rows);
}

function costTable(costs) {
  const rows = [
    ["CPU a delivery", "without the write", "min–max", "required", "verdict", "with it", "min–max", "and who was reached", "min–max"],
  ];
  const format = (value) => value.toFixed(2);
  for (const { of, over, atMost, verdict, ...ratios } of costs) {
    const cells = (key) => [format(ratios[key].median), range(ratios[key], format)];
    rows.push([`${of} ÷ ${over}`, ...cells("delivery"), `≤ ${atMost}`, verdict, ...cells("written"), ...cells("noted")]);
  }
  return `${table(rows)}\nThe median without the write decides: delivery alone. The write and who was reached are shown beside it.`;
}

function announcementTable(throughput) {
  const rows = [
    ["announcements, µs CPU a delivery", "of them the write", "with it", "and who was reached", "to all", "a write alone", "entries"],
  ];
  for (const [name, run] of Object.entries(throughput).filter(([, { microsecondsOfOne }]) => microsecondsOfOne !== undefined)) {
    const own = run.microsecondsToWrite !== undefined;
    rows.push([
      name,
      own ? run.microsecondsToWrite.median.toFixed(1) : "",
      run.microsecondsOfOne.median.toFixed(1),
      (1e6 / run.perCpuSecond.median).toFixed(1),
      `${run.millisecondsToAll.median.toFixed(1)} ms`,
      own ? `${run.millisecondsToWrite.median.toFixed(1)} ms` : "",
      own ? run.entriesPerAnnouncement.median.toFixed(1) : "",
    ]);
  }
  return rows.length === 1 ? "" : table(rows);
}

function burstRows(result) {
  const rows = [];
  for (const [store, run] of Object.entries(result.task ?? {})) {
    const most = Math.ceil(run.seconds * MOST_PACKETS_A_SECOND);
    rows.push([
      `(f) task, ${store}`,
      `${run.packets} packets at the owner (${run.packets <= most ? "met" : "NOT MET"}: ≤ ${most}), ${run.completions} completion${run.completions === 1 ? "" : "s (NOT MET: 1)"}`,
      `${whole(run.reports)} reports in ${run.seconds.toFixed(1)} s, ${whole(run.microsecondsPerReport)} µs CPU each`,
    ]);
  }
  for (const [store, run] of Object.entries(result.topic ?? {})) {
    const { normal, slow } = run;
    rows.push(
      [
        `(g) topic, ${store}`,
        `memory ${(run.residentBytes / 2 ** 20).toFixed(0)} MiB, grown by ${(run.grownBytes / 2 ** 20).toFixed(1)} MiB`,
        `${whole(run.writes)} writes (${whole(run.stored)} stored) in ${run.seconds.toFixed(1)} s, ${whole(run.microsecondsPerWrite)} µs CPU each`,
      ],
      [
        "    client that keeps up",
        `${normal.perSecond.toFixed(1)} updates/s`,
        `behind by ${whole(normal.behindWrites.median)} writes, ${whole(normal.behindMs.median)} ms; most ${whole(normal.behindWrites.most)}, ${whole(normal.behindMs.most)} ms`,
      ],
      [
        "    one packet a second",
        `${slow.perSecond.toFixed(1)} updates/s, last value ${run.secondsToLast.toFixed(1)} s after the end`,
        `behind by ${whole(slow.behindWrites.median)} writes, ${whole(slow.behindMs.median)} ms; most ${whole(slow.behindWrites.most)}, ${whole(slow.behindMs.most)} ms`,
      ],
    );
  }
  return rows;
}

function otherTable(result) {
  const rows = [["also", "", ""], ...burstRows(result)];
  for (const [store, run] of Object.entries(result.latency ?? {})) {
    rows.push([
      `latency at half load, ${store}`,
      `p50 ${run.p50.toFixed(1)} ms, p99 ${run.p99.toFixed(1)} ms, max ${run.max.toFixed(1)} ms`,
      `${whole(run.deliveriesPerSecond)} deliveries/s, core ${whole(run.utilisation * 100)} % used, ${whole(run.samples)} samples`,
    ]);
  }
  for (const [store, run] of Object.entries(result.disk ?? {})) {
    rows.push([`disk, ${store}`, `${whole(run.perNotification)} bytes a notification`, `${whole(run.notifications)} notifications`]);
  }
  for (const [server, run] of Object.entries(result.memory ?? {})) {
    rows.push([
      `memory, ${server}`,
      `${(run.perConnection / 1024).toFixed(1)} KiB a connection`,
      `${whole(run.connections)} idle connections`,
    ]);
  }
  return rows.length === 1 ? "" : table(rows);
}

/** Everything as text for a terminal. */
export function format(result) {
  const parts = [];
  if (Object.keys(result.throughput).length > 0) parts.push(throughputTable(result.throughput));
  if (result.targets.length > 0) parts.push(`${targetTable(result.targets)}\nThe lower of the two medians decides.`);
  const announced = announcementTable(result.throughput);
  if (announced !== "") parts.push(announced);
  if (result.costs.length > 0) parts.push(costTable(result.costs));
  const other = otherTable(result);
  if (other !== "") parts.push(other);
  parts.push(...nodeTables(result));
  return `\n${parts.join("\n\n")}\n`;
}
