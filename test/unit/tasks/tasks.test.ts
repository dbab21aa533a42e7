import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { DirectNotification } from "../../../src/community/types.js";
import { BelfryError } from "../../../src/errors.js";
import { type Progress, type Task, type TaskStore, Tasks } from "../../../src/tasks/index.js";
import { until } from "../../support/member.js";

/** Tasks in memory, whose saves can be held up or fail. */
class MemoryTasks implements TaskStore {
  readonly tasks = new Map<string, Task>();
  readonly saves: Task[] = [];
  asked: unknown[] = [];
  before: () => Promise<void> = async () => {};

  async find(id: string): Promise<Task | null> {
    return this.tasks.get(id) ?? null;
  }

  async save(task: Task): Promise<Task> {
    this.saves.push(task);
    await this.before();
    const stored = this.tasks.get(task.id);
    if (stored !== undefined && stored.state !== "running") return stored;
    this.tasks.set(task.id, task);
    return task;
  }

  async running(...asked: [string, number, number]): Promise<Task[]> {
    this.asked = asked;
    return [...this.tasks.values()].filter(({ user, state }) => user === asked[0] && state === "running");
  }

  async recent(...asked: [number, number]): Promise<Task[]> {
    this.asked = asked;
    return [...this.tasks.values()].filter(({ state, at }) => state === "running" && at >= asked[0]);
  }

  async forget(): Promise<number> {
    return 0;
  }
}

const NOW = Date.parse("2026-01-01T12:00:00Z");

/** A node; several share what is stored and what was told. */
function open(store = new MemoryTasks(), told = new Map<string, DirectNotification>()) {
  const moves: Array<[string, Progress]> = [];
  const ends: Array<[string, string]> = [];
  const errors: unknown[] = [];
  const state = { notifyFails: false, toldFails: false };
  const tasks = new Tasks({
    store,
    notify: async (notification, namespace) => {
      if (state.notifyFails) throw new BelfryError("unavailable");
      // As the community does: the same key again tells nobody.
      const key = `${namespace}:${notification.key}`;
      const duplicate = told.has(key);
      if (!duplicate) told.set(key, notification);
      return { duplicate };
    },
    told: async (key, namespace) => {
      if (state.toldFails) throw new BelfryError("unavailable");
      return told.get(`${namespace}:${key}`)?.data ?? null;
    },
    clock: () => NOW,
    onError: (error) => errors.push(error),
  });
  tasks.subscribe((user, progress) => moves.push([user, progress]));
  tasks.onEnd((user, task) => ends.push([user, task]));
  return { store, told, moves, ends, errors, state, tasks };
}

/** Holds up the store's saves until it is called. */
function hold(store: MemoryTasks): () => void {
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  store.before = () => gate;
  return release;
}

const refusal = (code: string, message?: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(message ?? /./) });
const running = { user: "ada", state: "running" };
const completed = { user: "ada", state: "completed" };

describe("a running task", () => {
  it("answers with the report as stored, and its owner's screens hear of it", async () => {
    const { tasks, moves, told } = open();
    const report = { ...running, step: "2 of 3", percent: 66.6, title: "Export", url: "https://forum.example/x", text: "…", more: 1 };
    const fields = { step: "2 of 3", percent: 66.6, title: "Export", url: "https://forum.example/x", text: "…" };
    const at = "2026-01-01T12:00:00.000Z";
    expect(await tasks.report("export-1", report)).toEqual({ task: "export-1", ...running, ...fields, at });
    expect(moves).toEqual([["ada", { task: "export-1", state: "running", ...fields, at }]]);
    expect(told.size).toBe(0);
  });

  it("shares one save among all reports that come while one is under way; the newest wins and answers them all", async () => {
    const { tasks, store, moves } = open();
    const release = hold(store);
    const first = tasks.report("t", { ...running, percent: 0 });
    await until("the save is under way", () => store.saves.length > 0);
    const later = Array.from({ length: 100 }, (_, index) => tasks.report("t", { ...running, percent: index + 1, step: null }));
    release();
    expect(await first).toMatchObject({ percent: 0 });
    for (const answer of await Promise.all(later)) expect(answer).toMatchObject({ percent: 100 });
    expect(store.saves.map(({ percent }) => percent)).toEqual([0, 100]);
    expect(moves.map(([, { percent }]) => percent)).toEqual([0, 100]);
  });

  it("is shown to a member who comes in the middle: at most 20 tasks, which reported within a day", async () => {
    const { tasks, store } = open();
    await tasks.report("t", { ...running, percent: 40 });
    await tasks.report("ended", completed);
    expect(await tasks.running("ada")).toEqual([{ task: "t", state: "running", percent: 40, at: "2026-01-01T12:00:00.000Z" }]);
    expect(store.asked).toEqual(["ada", NOW - 86_400_000, 20]);
  });

  it("is found for any member who is on this node, whichever node took the report, of those that reported lately", async () => {
    const one = open();
    const two = open(one.store, one.told);
    await one.tasks.report("t", { ...running, percent: 40 });
    await one.tasks.report("ended", completed);
    await one.tasks.report("other", { user: "bruno", state: "running" });
    const at = "2026-01-01T12:00:00.000Z";
    expect(await two.tasks.recent(NOW - 2_000)).toEqual([
      { user: "ada", progress: { task: "t", state: "running", percent: 40, at } },
      { user: "bruno", progress: { task: "other", state: "running", at } },
    ]);
    expect(two.store.asked).toEqual([NOW - 2_000, 1_000]);
    expect(await two.tasks.recent(NOW + 1)).toEqual([]);
    await two.tasks.recent(0);
    expect(two.store.asked).toEqual([NOW - 86_400_000, 1_000]);
  });

  it("keeps its owner: a report for another user is refused, also one that comes at the same moment", async () => {
    const { tasks, store } = open();
    const [own, foreign] = await Promise.allSettled([tasks.report("t", running), tasks.report("t", { ...running, user: "bruno" })]);
    expect(own.status).toBe("fulfilled");
    expect(foreign).toMatchObject({ status: "rejected", reason: refusal("bad_request", /user/) });
    await expect(tasks.report("t", { user: "bruno", state: "completed" })).rejects.toEqual(refusal("bad_request", /user/));
    expect(store.tasks.get("t")).toMatchObject(running);
  });

  it("is not told of where the store has an end that another node wrote", async () => {
    const { tasks, store, moves } = open();
    await tasks.report("t", running);
    const release = hold(store);
    const late = tasks.report("t", { ...running, percent: 99 });
    await until("the save is under way", () => store.saves.length > 1);
    store.tasks.set("t", { id: "t", user: "ada", state: "failed", at: NOW });
    release();
    expect(await late).toMatchObject({ state: "failed" });
    expect(moves).toHaveLength(1);
  });

  it("is stored and answered although a listener fails", async () => {
    const { tasks, errors } = open();
    tasks.subscribe(() => {
      throw new Error("a listener's fault");
    });
    expect(await tasks.report("t", running)).toMatchObject(running);
    expect(errors).toEqual([new Error("a listener's fault")]);
  });
});

describe("the end of a task", () => {
  it("is told to its owner as a notification, before it is stored", async () => {
    const { tasks, told, store, ends } = open();
    const release = hold(store);
    const answer = tasks.report("t", { ...completed, title: "Export", url: "https://forum.example/x", text: "Done.", percent: 100 });
    await until("the save is under way", () => store.saves.length > 0);
    expect([...told]).toEqual([
      [
        "task:t",
        {
          to: ["ada"],
          type: "task",
          actor: { id: "system", name: "Export" },
          text: "Done.",
          url: "https://forum.example/x",
          data: { task: "t", state: "completed" },
          key: "t",
        },
      ],
    ]);
    expect(ends).toEqual([["ada", "t"]]);
    release();
    expect(await answer).toMatchObject({ task: "t", state: "completed", percent: 100 });
  });

  it("is nothing that runs from the moment on in which the owner is told, whatever is stored still", async () => {
    const { store, tasks, told } = open();
    await tasks.report("import", running);
    await tasks.report("export", running);
    const release = hold(store);
    const ending = tasks.report("import", completed);
    await until("the owner is told", () => told.size === 1);
    expect((await tasks.running("ada")).map(({ task }) => task)).toEqual(["export"]);
    expect((await tasks.recent(0)).map(({ progress }) => progress.task)).toEqual(["export"]);
    release();
    await ending;
    expect((await tasks.running("ada")).map(({ task }) => task)).toEqual(["export"]);
  });

  it("changes no more: a repeat, another end or a late report is answered with it and tells nobody", async () => {
    const { tasks, told, moves, store } = open();
    const end = await tasks.report("t", { ...completed, text: "Done." });
    for (const late of [completed, { user: "ada", state: "failed" }, { ...running, percent: 1 }]) {
      expect(await tasks.report("t", late)).toEqual(end);
    }
    expect([told.size, moves.length, store.saves.length]).toEqual([1, 0, 1]);
  });

  it("comes after the running reports before it, and those behind it are not stored", async () => {
    const { tasks, store, moves } = open();
    const release = hold(store);
    const answers = [
      tasks.report("t", { ...running, percent: 1 }),
      tasks.report("t", completed),
      tasks.report("t", { ...running, percent: 2 }),
      tasks.report("t", { ...running, percent: 3 }),
    ];
    release();
    expect((await Promise.all(answers)).map(({ state }) => state)).toEqual(["running", "completed", "completed", "completed"]);
    expect(store.saves.map(({ state }) => state)).toEqual(["running", "completed"]);
    expect(moves).toHaveLength(1);
  });

  it("is made good by the next attempt where it was interrupted, and told once", async () => {
    const { tasks, told, state, store } = open();
    state.notifyFails = true;
    await expect(tasks.report("t", completed)).rejects.toEqual(refusal("unavailable"));
    expect(store.saves).toHaveLength(0);
    state.notifyFails = false;
    store.before = async () => {
      store.before = async () => {};
      throw new BelfryError("unavailable");
    };
    await expect(tasks.report("t", completed)).rejects.toEqual(refusal("unavailable"));
    expect(await tasks.report("t", completed)).toMatchObject(completed);
    expect(told.size).toBe(1);
  });

  it("is the one that was told, where saving it failed and the server then reports another", async () => {
    const { tasks, told, store, state } = open();
    store.before = async () => {
      store.before = async () => {};
      throw new BelfryError("unavailable");
    };
    await expect(tasks.report("t", completed)).rejects.toEqual(refusal("unavailable"));
    const failed = { user: "ada", state: "failed", text: "The disk is full.", percent: 12 };
    state.toldFails = true;
    await expect(tasks.report("t", failed)).rejects.toEqual(refusal("unavailable"));
    expect(store.tasks.size).toBe(0);
    state.toldFails = false;
    const end = { task: "t", ...completed, at: "2026-01-01T12:00:00.000Z" };
    expect(await tasks.report("t", failed)).toEqual(end);
    expect(await tasks.report("t", failed)).toEqual(end);
    expect(store.tasks.get("t")).toEqual({ id: "t", ...completed, at: NOW });
    expect([...told.values()].map(({ data }) => data?.state)).toEqual(["completed"]);
  });

  it("is the same on two nodes that are told different ones at the same moment, whichever saves first", async () => {
    const schedule = fc.record({ first: fc.constantFrom("completed", "failed"), slow: fc.constantFrom(0, 1) });
    await fc.assert(
      fc.asyncProperty(schedule, async ({ first, slow }) => {
        const one = open();
        const two = open(one.store, one.told);
        const release = hold(one.store);
        const nodes = [one, two];
        const states = first === "completed" ? ["completed", "failed"] : ["failed", "completed"];
        const order = slow === 0 ? nodes : nodes.toReversed();
        const answers = order.map(({ tasks }, index) => tasks.report("t", { user: "ada", state: states[index] }));
        await until("both save", () => one.store.saves.length === 2);
        release();
        const told = one.told.get("task:t")?.data?.state;
        expect((await Promise.all(answers)).map(({ state }) => state)).toEqual([told, told]);
        expect(one.store.saves.map(({ state }) => state)).toEqual([told, told]);
      }),
      { numRuns: 20 },
    );
  });

  it("is taken as reported where what was told before is no longer known", async () => {
    const { tasks, told } = open();
    told.set("task:t", { to: ["ada"], type: "task", key: "t" });
    expect(await tasks.report("t", { ...completed, text: "Done." })).toMatchObject({ ...completed, text: "Done." });
  });

  it("is told exactly once and is the last that is stored, in whatever order reports come", async () => {
    const step = fc.record({ state: fc.constantFrom("running", "running", "running", "completed", "failed"), waits: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const { tasks, told, store } = open();
        const answers: Array<Promise<{ state: string }>> = [];
        for (const { state, waits } of steps) {
          const answer = tasks.report("t", { user: "ada", state });
          answers.push(answer);
          if (waits) await answer;
        }
        await Promise.all(answers);
        const firstEnd = steps.find(({ state }) => state !== "running")?.state;
        expect(told.size).toBe(firstEnd === undefined ? 0 : 1);
        expect(store.saves.at(-1)?.state).toBe(firstEnd ?? "running");
        expect(store.saves.filter(({ state }) => state !== "running").length).toBe(told.size);
      }),
    );
  });
});

describe("bad input", () => {
  it.each([
    ["an id of 129 characters", "x".repeat(129), running, /id must be/],
    ["no body", "t", undefined, /is missing/],
    ["a body that is a text", "t", "running", /must be an object/],
    ["no user", "t", { state: "running" }, /user is missing/],
    ["an unknown state", "t", { user: "ada", state: "paused" }, /state must be one of/],
    ["a percent above 100", "t", { ...running, percent: 101 }, /percent must be at most 100/],
    ["a percent that is a text", "t", { ...running, percent: "40" }, /percent must be a number/],
    ["a URL that would run a script", "t", { ...running, url: "javascript:alert(1)" }, /url must be/],
    ["a title of 301 characters", "t", { ...running, title: "x".repeat(301) }, /title must have/],
    ["a text of 4,001 characters", "t", { ...running, text: "x".repeat(4_001) }, /text must have/],
  ])("%s is refused with what is wrong, and stores nothing", async (_title, id, body, message) => {
    const { tasks, store } = open();
    await expect(tasks.report(id, body)).rejects.toEqual(refusal("bad_request", message));
    expect(store.saves).toHaveLength(0);
  });
});
