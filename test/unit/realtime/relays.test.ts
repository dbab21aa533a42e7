import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { Namespace } from "socket.io";
import { LOOK_FOR_TASKS_MS, RELAY_TASK_MS, RELAY_TOPIC_MS } from "../../../src/realtime/limits.js";
import { TaskRelay } from "../../../src/realtime/task-relay.js";
import { TopicRelay } from "../../../src/realtime/topic-relay.js";
import type { Progress } from "../../../src/tasks/index.js";
import { Topics } from "../../../src/topics/index.js";
import { MemoryTopics } from "../topics/memory-topics.js";
import { FakeNodes } from "./fake-nodes.js";

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

const moved = (task: string, percent: number, at = Date.now()): Progress => {
  return { task, state: "running", percent, at: new Date(at).toISOString() };
};

function startTasks() {
  const nodes = new FakeNodes();
  const shown: Array<[user: string, what: Progress | string]> = [];
  const stored: Array<{ user: string; progress: Progress }> = [];
  const rooms = { progress: new Set<(user: string, progress: Progress) => void>(), end: new Set<(user: string, task: string) => void>() };
  const state = { elsewhere: ["ada"], failing: false, reads: [] as number[], warnings: 0 };
  const relay = new TaskRelay({
    nodes,
    presence: { nodesOf: (user) => (state.elsewhere.includes(user) ? ["another"] : []) },
    tasks: {
      subscribe(listener) {
        rooms.progress.add(listener);
        return () => rooms.progress.delete(listener);
      },
      onEnd(listener) {
        rooms.end.add(listener);
        return () => rooms.end.delete(listener);
      },
      async recent(since) {
        state.reads.push(since);
        if (state.failing) throw new Error("the store is away");
        const found = stored.filter(({ progress }) => Date.parse(progress.at) >= since);
        return found.sort((one, other) => Date.parse(one.progress.at) - Date.parse(other.progress.at)).slice(0, 3);
      },
    },
    onProgress: (user, progress) => shown.push([user, progress]),
    onEnd: (user, task) => shown.push([user, task]),
    logger: { warn: () => state.warnings++ } as never,
  });
  return {
    nodes,
    relay,
    shown,
    stored,
    state,
    listeners: () => rooms.progress.size + rooms.end.size + nodes.listeners,
    report: (user: string, progress: Progress) => {
      for (const listener of rooms.progress) listener(user, progress);
    },
    end: (user: string, task: string) => {
      for (const listener of rooms.end) listener(user, task);
    },
  };
}

describe("the progress of tasks between nodes", () => {
  it("goes to the nodes of the member, ten times a second and task at most, the last always, and nothing after the end", () => {
    const { nodes, relay, report, end, listeners } = startTasks();
    report("bea", moved("of bea", 1));
    for (let percent = 1; percent <= 90; percent++) {
      report("ada", moved("t", percent));
      jest.advanceTimersByTime(10);
    }
    jest.advanceTimersByTime(RELAY_TASK_MS);
    const percents = nodes.told.map(({ data }) => (data as { progress: Progress }).progress.percent);
    expect(nodes.told.every(({ user, kind }) => user === "ada" && kind === "progress")).toBe(true);
    expect(percents.length).toBeLessThanOrEqual(11);
    expect([percents[0], percents.at(-1)]).toEqual([1, 90]);
    report("ada", moved("t", 91));
    report("ada", moved("t", 92));
    end("ada", "t");
    jest.advanceTimersByTime(1_000);
    expect(nodes.told.at(-1)).toEqual({ user: "ada", kind: "ended", data: { user: "ada", task: "t" } });
    relay.close();
    expect(listeners()).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
  });

  it("is shown as another node tells it", () => {
    const { nodes, shown } = startTasks();
    const progress = { ...moved("t", 5), step: "reading", title: "Export", url: "https://forum.example/x", text: "…" };
    nodes.say("progress", { user: "ada", progress: { ...progress, unknown: 1 } });
    nodes.say("ended", { user: "ada", task: "t" });
    expect(shown).toEqual([
      ["ada", progress],
      ["ada", "t"],
    ]);
  });

  it.each([
    ["progress", null],
    ["progress", { user: "ada" }],
    ["progress", { user: "ada", progress: { ...moved("t", 5), state: "completed" } }],
    ["progress", { user: "ada", progress: { ...moved("t", 5), percent: 101 } }],
    ["progress", { user: "ada", progress: { ...moved("t", 5), text: "x".repeat(5_000) } }],
    ["progress", { user: "ada", progress: { ...moved("t", 5), at: "yesterday" } }],
    ["ended", []],
    ["ended", { user: "ada", task: "" }],
  ])("is not shown where it is rubbish: %s %j", (kind, data) => {
    const { nodes, shown } = startTasks();
    expect(() => nodes.say(kind, data)).toThrow();
    expect(shown).toEqual([]);
  });

  it("is looked for in the store while others cannot be heard, and once more when they can, each report shown once", async () => {
    const { nodes, stored, shown, state, relay } = startTasks();
    await jest.advanceTimersByTimeAsync(10_000);
    expect(state.reads).toEqual([]);
    nodes.become(false);
    const [one, two] = [moved("one", 10), moved("two", 20)];
    stored.push({ user: "ada", progress: one }, { user: "bea", progress: two });
    await jest.advanceTimersByTimeAsync(LOOK_FOR_TASKS_MS);
    await jest.advanceTimersByTimeAsync(LOOK_FOR_TASKS_MS);
    expect(shown).toEqual([
      ["ada", one],
      ["bea", two],
    ]);
    const again = moved("one", 50);
    stored[0] = { user: "ada", progress: again };
    await jest.advanceTimersByTimeAsync(LOOK_FOR_TASKS_MS);
    expect(shown.slice(2)).toEqual([["ada", again]]);
    const last = moved("one", 60);
    stored[0] = { user: "ada", progress: last };
    nodes.become(true);
    await jest.advanceTimersByTimeAsync(LOOK_FOR_TASKS_MS);
    expect(shown.slice(3)).toEqual([["ada", last]]);
    const reads = state.reads.length;
    await jest.advanceTimersByTimeAsync(10 * LOOK_FOR_TASKS_MS);
    expect(state.reads.length).toBe(reads);
    relay.close();
  });

  it("is looked for to the end where it is much, and again where the store fails", async () => {
    const { nodes, stored, shown, state, relay } = startTasks();
    nodes.become(false);
    const progress = Array.from({ length: 8 }, (_, index) => moved(`t${index}`, 1, Date.now() + index));
    for (const one of progress) stored.push({ user: "ada", progress: one });
    state.failing = true;
    await jest.advanceTimersByTimeAsync(LOOK_FOR_TASKS_MS);
    expect([shown.length, state.warnings]).toEqual([0, 1]);
    state.failing = false;
    await jest.advanceTimersByTimeAsync(LOOK_FOR_TASKS_MS);
    expect(shown).toEqual(progress.map((one) => ["ada", one]));
    relay.close();
    await jest.advanceTimersByTimeAsync(10 * LOOK_FOR_TASKS_MS);
    expect(jest.getTimerCount()).toBe(0);
  });
});

function startTopics() {
  const nodes = new FakeNodes();
  const topics = new Topics({ store: new MemoryTopics() });
  const emitted: unknown[] = [];
  let listener: ((value: unknown) => void) | null = null;
  const namespace = {
    on: (_event: string, heard: (value: unknown) => void) => {
      listener = heard;
    },
    off: () => {
      listener = null;
    },
    serverSideEmit: (event: string, value: unknown) => emitted.push([event, value]),
  } as unknown as Namespace;
  let rereads = 0;
  const relay = new TopicRelay({ nodes, namespace, topics, reread: () => rereads++ });
  const heard: unknown[] = [];
  topics.subscribe((value) => heard.push(value));
  return { nodes, topics, relay, emitted, heard, hear: (value: unknown) => listener?.(value), rereads: () => rereads };
}

describe("topics between nodes", () => {
  const value = { topic: "board", seq: 3, at: 1_700_000_000_000, data: '{"score":1}', access: "public" };

  it("are told as they are written, as often as screens are told", async () => {
    const { topics, emitted, relay } = startTopics();
    for (let score = 1; score <= 5; score++) {
      const writing = topics.write("board", { data: { score }, access: "public" });
      await jest.advanceTimersByTimeAsync(1);
      await writing;
    }
    expect(emitted).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(RELAY_TOPIC_MS);
    expect(emitted).toMatchObject([
      ["value", { topic: "board", seq: 1 }],
      ["value", { topic: "board", seq: 5, data: '{"score":5}' }],
    ]);
    relay.close();
    expect(jest.getTimerCount()).toBe(0);
  });

  it("are heard from other nodes, and not told on", async () => {
    const { heard, emitted, hear } = startTopics();
    hear(value);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(heard).toEqual([value]);
    expect(emitted).toEqual([]);
    for (const rubbish of [null, {}, { ...value, data: "{" }, { ...value, topic: "a b" }]) expect(() => hear(rubbish)).not.toThrow();
    expect(heard).toHaveLength(1);
  });

  it("are read again where something may have been lost", () => {
    const { nodes, rereads, relay } = startTopics();
    nodes.doubt(Date.now());
    expect(rereads()).toBe(0);
    nodes.doubt(0);
    expect(rereads()).toBe(1);
    relay.close();
    expect(nodes.listeners).toBe(0);
  });
});
