/** What the scenarios of many nodes, (i) to (l), come to. */
import { median, range, spread, table, whole } from "./numbers.mjs";

/** Deliveries by the CPU of two nodes as a multiple of single ones': side by side, which decides, and with the other core to themselves. */
const RATIOS = [
  { of: "i-10", over: "i-apart-10", required: 0.9 },
  { of: "i-paced-10", over: "i-paced-apart-10", required: 0.9 },
  { of: "i-1", over: "i-apart-1", required: 0.9 },
  { of: "i-10", over: "a-mongodb" },
  { of: "i-1", over: "b-mongodb" },
];

/** (j): how late a delivery on the other node may be while Redis is away, and how soon after its return all must be normal. */
const LATE_MS = 3_000;
const NORMAL_MS = 5_000;

const MIB = 2 ** 20;

const perServiceCpuSecond = ({ perCpuSecond, storeShare, busShare = 0 }) => perCpuSecond / (1 - storeShare - busShare);

/** The ratios of (i), each within a round: by all CPU, and by the services' alone. The lower median decides. */
export function summariseNodes(rounds) {
  return RATIOS.flatMap((one) => {
    const both = rounds.filter((round) => round[one.of] !== undefined && round[one.over] !== undefined);
    if (both.length === 0) return [];
    const over = (figureOf) => spread(both.map((round) => figureOf(round[one.of]) / figureOf(round[one.over])));
    const byCpu = over(({ perCpuSecond }) => perCpuSecond);
    const byServiceCpu = over(perServiceCpuSecond);
    const isMet = Math.min(byCpu.median, byServiceCpu.median) >= one.required;
    return [{ ...one, byCpu, byServiceCpu, verdict: one.required === undefined ? "" : isMet ? "met" : "NOT MET" }];
  });
}

function ratioTable(ratios) {
  const format = (value) => value.toFixed(3);
  const cells = (one) => [format(one.median), range(one, format)];
  const rows = [["(i) deliveries by", "all CPU", "min–max", "services' CPU", "min–max", "required", "verdict"]];
  for (const { of, over, byCpu, byServiceCpu, required, verdict } of ratios) {
    rows.push([`${of} ÷ ${over}`, ...cells(byCpu), ...cells(byServiceCpu), required === undefined ? "" : `≥ ${required}`, verdict]);
  }
  return table(rows);
}

function costTable(throughput) {
  const microseconds = (value) => (1e6 / value).toFixed(1);
  const rows = [["(i) a delivery", "µs CPU", "database's", "Redis'", "conflicts", "rows a batch", "messages of hints"]];
  for (const [name, run] of Object.entries(throughput).filter(([known]) => known.startsWith("i-"))) {
    const part = (share) => ((1e6 / run.perCpuSecond.median) * share.median).toFixed(1);
    rows.push([
      name,
      microseconds(run.perCpuSecond.median),
      part(run.storeShare),
      part(run.busShare),
      run.conflictsPerDelivery.median.toFixed(3),
      whole(run.rowsPerBatch.median),
      run.messagesPerDelivery.median.toFixed(3),
    ]);
  }
  return table(rows);
}

const milliseconds = (value) => (value === undefined ? "" : whole(value));

/** p99 and most. */
const high = ({ p99, max }) => (max === undefined ? "" : `${milliseconds(p99)} / ${milliseconds(max)}`);

function outageTable(outages) {
  const percent = (share) => `${(share * 100).toFixed(1)} %`;
  const rows = [
    [
      "(j) Redis away: p99 / most, ms",
      "other node before",
      "away",
      "returning",
      "normal after",
      "then",
      "own node away",
      "CPU before",
      "away",
      "database's before",
      "away",
      "",
    ],
  ];
  for (const { fault, seconds, normalAfter, own, other, cpu } of outages) {
    const late = Math.max(other.during.max ?? 0, other.returning.max ?? 0);
    const isMet = late <= LATE_MS && normalAfter !== null && normalAfter <= NORMAL_MS;
    rows.push([
      `${fault} for ${seconds} s`,
      high(other.before),
      high(other.during),
      high(other.returning),
      normalAfter === null ? "never" : `${(normalAfter / 1000).toFixed(1)} s`,
      high(other.after),
      high(own.during),
      percent(cpu.before.nodes[1]),
      percent(cpu.during.nodes[1]),
      percent(cpu.before.store),
      percent(cpu.during.store),
      isMet ? "met" : "NOT MET",
    ]);
  }
  return `${table(rows)}\nRequired on the other node: most ≤ ${whole(LATE_MS)} ms until normal, normal after ≤ ${NORMAL_MS / 1000} s.`;
}

function stampedeTable(runs) {
  const of = (value) => median(runs.map(value));
  const size = (value) => `${whole(of(value) / MIB)} MiB`;
  const highOf = (phase) =>
    `${milliseconds(of((run) => run.staying[phase].p99))} / ${milliseconds(of((run) => run.staying[phase].max))} ms`;
  const seconds = (value) => `${(of(value) / 1000).toFixed(1)} s`;
  const { arriving, missed } = runs[0];
  return table([
    [`(k) ${whole(arriving)} members arrive at once, ${missed} entries missed by each`, ""],
    ["until all are synced", seconds(({ milliseconds: { all } }) => all)],
    ["until half of them are", seconds(({ milliseconds: { median: half } }) => half)],
    ["refused, and asked again when told to", whole(of(({ refused }) => refused))],
    ["connections lost on the way", whole(of(({ lost }) => lost))],
    ["the node's memory before", size(({ residentBefore }) => residentBefore)],
    ["at its peak", size(({ residentPeak }) => residentPeak)],
    ["at the end", size(({ residentAfter }) => residentAfter)],
    ["its CPU for a member", `${((of(({ cpu }) => cpu) * 1000) / arriving).toFixed(2)} ms`],
    ["deliveries to those already there, p99 / most, before", highOf("before")],
    ["meanwhile", highOf("meanwhile")],
  ]);
}

function rosterTable({ whole: all, waves }) {
  const both = (key, digits = 1) => [all[key].toFixed(digits), waves[key].toFixed(digits)];
  return table([
    ["(l) members of another node, learnt", "as a whole", "as they come"],
    ["members", whole(all.count), whole(waves.count)],
    ["messages", whole(all.messages), whole(waves.messages)],
    ["bytes of messages a member", ...both("wireBytesPerMember")],
    ["µs of CPU to learn of one", ...both("microsecondsToLearn", 2)],
    ["µs of CPU to tell of one", ...both("microsecondsToTell", 2)],
    ["memory of one, bytes", whole(all.bytesPerMember), ""],
  ]);
}

/** Everything of many nodes as tables for a terminal: a list of texts. */
export function nodeTables({ throughput, nodes, outages, stampedes, roster }) {
  const tables = [];
  if (Object.keys(throughput).some((name) => name.startsWith("i-"))) tables.push(costTable(throughput));
  if (nodes.length > 0) tables.push(`${ratioTable(nodes)}\nThe lower of the two medians decides.`);
  if (outages !== undefined) tables.push(outageTable(outages));
  if (stampedes !== undefined) tables.push(stampedeTable(stampedes));
  if (roster !== undefined) tables.push(rosterTable(roster));
  return tables;
}
