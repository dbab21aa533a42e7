import type { Findings } from "./harness-checks.js";
import type { ClusterNode } from "./harness-cluster.js";
import { nameOf, type PlannedFault } from "./schedule.js";

/** Lines about the bus that one fault may cost a node: that it is away, that it is back, and once each for what else was noticed. */
const BUS_LINES_A_FAULT = 8;

/** Lines that one fault may cost a node in all: sessions and rooms whose store is away say so. */
const LINES_A_FAULT = 60;

/** pino's `fatal`. */
const FATAL = 60;

/** What the nodes have written: lines of their logs and nothing else, and not a thousand for one fault. */
export function checkLogs(findings: Findings, nodes: readonly ClusterNode[], faults: readonly PlannedFault[]): void {
  for (const node of nodes) {
    const { lines, rest } = node.log();
    findings.none(`${node.name} wrote what is no line of its log`, rest.slice(0, 5));
    for (const { level, msg } of lines) if (level >= FATAL) findings.add(`${node.name} logged as fatal: ${msg}`);
    const ofBus = lines.filter(({ msg }) => /redis|\bbus\b/i.test(msg)).length;
    const told = `${faults.map(nameOf).join(", ")}`;
    if (ofBus > BUS_LINES_A_FAULT * (faults.length + 1)) findings.add(`${node.name} logged ${ofBus} lines about Redis, of ${told}`);
    if (lines.length > LINES_A_FAULT * (faults.length + 1)) findings.add(`${node.name} logged ${lines.length} lines, of ${told}`);
  }
}
