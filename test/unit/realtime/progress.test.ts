import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { ProgressFeed } from "../../../src/realtime/progress.js";
import type { Progress } from "../../../src/tasks/index.js";

/** What a session is sent, through an outlet that may be congested for a while. */
class Screen {
  congested = false;
  readonly packets: Array<{ event: string; task: string; percent: number; at: number }> = [];
  #waiters: Array<() => void> = [];

  emit(event: string, payload: unknown): void {
    const { task, percent = -1 } = payload as Progress;
    this.packets.push({ event, task, percent, at: performance.now() });
  }

  async ready(): Promise<void> {
    if (this.congested) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  drain(): void {
    this.congested = false;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

function open() {
  const screen = new Screen();
  const feed = new ProgressFeed(screen);
  const offer = (percent: number, task = "t") => feed.offer({ task, state: "running", percent, at: "2026-01-01T00:00:00.000Z" });
  return { screen, feed, offer, percents: () => screen.packets.map(({ percent }) => percent) };
}

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe("a task's progress", () => {
  it("that is reported 1,000 times a second for 10 s costs at most 101 packets, 100 ms apart, and the last report arrives", () => {
    const { screen, offer, percents } = open();
    for (let report = 1; report <= 10_000; report++) {
      offer(report);
      jest.advanceTimersByTime(1);
    }
    jest.advanceTimersByTime(1_000);
    expect(screen.packets.length).toBeLessThanOrEqual(101);
    expect(screen.packets.length).toBeGreaterThan(95);
    expect(percents()[0]).toBe(1);
    expect(percents().at(-1)).toBe(10_000);
    for (const [index, { at, event }] of screen.packets.entries()) {
      expect(event).toBe("progress");
      expect(at - (screen.packets[index - 1]?.at ?? Number.NEGATIVE_INFINITY)).toBeGreaterThanOrEqual(100);
    }
  });

  it("is limited for each task by itself", () => {
    const { screen, offer } = open();
    for (const task of ["one", "other"]) for (const percent of [1, 2, 3]) offer(percent, task);
    jest.advanceTimersByTime(100);
    expect(screen.packets.map(({ task, percent }) => [task, percent])).toEqual([
      ["one", 1],
      ["other", 1],
      ["one", 3],
      ["other", 3],
    ]);
  });

  it("waits while the reader is behind; then the newest is sent, and only that", async () => {
    const { screen, offer, percents } = open();
    offer(1);
    screen.congested = true;
    for (let percent = 2; percent <= 50; percent++) {
      offer(percent);
      jest.advanceTimersByTime(20);
    }
    expect(percents()).toEqual([1]);
    screen.drain();
    await Promise.resolve();
    await Promise.resolve();
    expect(percents()).toEqual([1, 50]);
  });

  it("is not sent any more once the task has ended or the session is over", () => {
    const { feed, offer, percents } = open();
    offer(1);
    offer(2);
    feed.drop("t");
    feed.drop("unknown");
    jest.advanceTimersByTime(1_000);
    expect(percents()).toEqual([1]);
    offer(3);
    offer(4);
    feed.close();
    offer(5);
    expect(jest.getTimerCount()).toBe(0);
    expect(percents()).toEqual([1, 3]);
  });

  it("leaves nothing behind for a task that reports no more", () => {
    const { offer } = open();
    offer(1);
    jest.advanceTimersByTime(1_000);
    expect(jest.getTimerCount()).toBe(0);
  });
});
