import { describe, expect, it } from "@jest/globals";
import { pino } from "pino";
import { DemoExports, type TaskReport } from "../../../src/demo/exports.js";
import { MEMBERS } from "../../../src/demo/seed.js";
import { BelfryError } from "../../../src/errors.js";
import { until } from "../../support/member.js";

const [ada, bruno] = MEMBERS as unknown as [(typeof MEMBERS)[0], (typeof MEMBERS)[0]];

type Reported = TaskReport & { id: string };

/** The desk where tasks report. `fails` decides about each report; `left` is what runs by its account. */
function desk(fails: (report: TaskReport) => boolean = () => false, left: Record<string, string[]> = {}) {
  const reports: Reported[] = [];
  const exports = new DemoExports({
    tasks: {
      report: async (id, report) => {
        if (fails(report)) throw new BelfryError("unavailable");
        reports.push({ id, ...report });
      },
      running: async (user) => {
        if (left[user]?.length === 0) throw new BelfryError("unavailable");
        return (left[user] ?? []).map((task) => ({ task }));
      },
    },
    summary: async () => "3 threads",
    log: pino({ level: "silent" }),
    durationMs: 50,
  });
  const ended = (count: number): Promise<void> =>
    until("the exports to end", () => reports.filter(({ state }) => state !== "running").length >= count);
  return { exports, reports, ended };
}

describe("the demo's exports", () => {
  it("report how far they are, and that they are complete, once", async () => {
    const { exports, reports, ended } = desk();
    const task = await exports.start(ada);
    expect(reports[0]).toMatchObject({ id: task, user: "ada", state: "running", percent: 0, step: "Reading the threads" });
    await ended(1);
    expect(reports.at(-1)).toMatchObject({ id: task, state: "completed", text: "3 threads" });
    const percents = reports.flatMap(({ percent }) => (percent === undefined ? [] : [percent]));
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
  });

  it("are one at a time for a member, and a new one after the end", async () => {
    const { exports, ended } = desk();
    const task = await exports.start(ada);
    expect(await exports.start(ada)).toBe(task);
    expect(await exports.start(bruno)).not.toBe(task);
    await ended(2);
    await until("another one to start", async () => (await exports.start(ada)) !== task);
    await ended(3);
  });

  it("do not start where the first report is refused, and can be started again", async () => {
    let down = true;
    const { exports, reports, ended } = desk(() => down);
    await expect(exports.start(ada)).rejects.toMatchObject({ code: "unavailable" });
    down = false;
    await exports.start(ada);
    await ended(1);
    expect(reports.at(-1)?.state).toBe("completed");
  });

  it("say that they have failed when their end cannot be reported", async () => {
    const { exports, reports, ended } = desk(({ state }) => state === "completed");
    await exports.start(ada);
    await ended(1);
    expect(reports.at(-1)).toMatchObject({ state: "failed" });
  });

  it("that a crash has cut off are reported as failed, once, and nobody else's tasks are touched", async () => {
    const { exports, reports } = desk(undefined, { ada: ["demo-export-old", "import-7"], bruno: ["demo-export-older"] });
    await Promise.all([exports.settle(), exports.settle()]);
    expect(reports.map(({ id, user, state }) => [id, user, state])).toEqual([
      ["demo-export-old", "ada", "failed"],
      ["demo-export-older", "bruno", "failed"],
    ]);
  });

  it("that a crash has cut off are looked for again when the store did not answer", async () => {
    const left: Record<string, string[]> = { ada: [] };
    const { exports, reports } = desk(undefined, left);
    await exports.settle();
    expect(reports).toEqual([]);
    left.ada = ["demo-export-old"];
    await exports.settle();
    expect(reports).toHaveLength(1);
  });
});
