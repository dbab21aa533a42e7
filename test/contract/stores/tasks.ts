import { describe, expect, it } from "@jest/globals";
import type { Stores } from "../../../src/storage/types.js";
import type { Task, TaskState } from "../../../src/tasks/types.js";
import { fresh, T0 } from "../../support/rows.js";

/** Times that no other test uses, so that forgetting touches nothing else. */
const OLD = 1_000;

/** Times that no other test reaches, so that nothing else is found. */
const RECENT = Date.UTC(2030, 0, 1);

/** A task with the fields that do not matter filled in. */
function task(over: Partial<Task> = {}): Task {
  return { id: fresh("task"), user: "u", state: "running", at: T0, ...over };
}

/** Long tasks and how far they are. */
export function taskContract(stores: () => Stores): void {
  const ids = (tasks: Task[]) => tasks.map(({ id }) => id);

  describe("tasks", () => {
    it("that never reported are not there", async () => {
      expect(await stores().tasks.find(fresh("task"))).toBeNull();
    });

    it("come back as they were saved, with and without what they may leave out", async () => {
      const { tasks } = stores();
      const plain = task();
      const full = task({ step: "2 of 3", percent: 33.25, title: "Export", url: "https://forum.example/x", text: "$almost" });
      expect(await tasks.save(plain)).toEqual(plain);
      expect(await tasks.save(full)).toEqual(full);
      expect(await tasks.find(plain.id)).toEqual(plain);
      expect(await tasks.find(full.id)).toEqual(full);
    });

    it("are as their latest report says, and nothing is left of the one before", async () => {
      const { tasks } = stores();
      const first = task({ step: "one", percent: 10, title: "Export" });
      await tasks.save(first);
      const second = task({ id: first.id, percent: 0, at: T0 + 1 });
      expect(await tasks.save(second)).toEqual(second);
      expect(await tasks.find(first.id)).toEqual(second);
    });

    it.each<TaskState>(["completed", "failed"])("that have %s stay as they are, and say so", async (state) => {
      const { tasks } = stores();
      const running = task();
      const ended = { ...running, state, percent: 100, text: "Done", at: T0 + 1 };
      await tasks.save(running);
      expect(await tasks.save(ended)).toEqual(ended);
      for (const late of ["running", "completed", "failed"] as const) {
        expect(await tasks.save({ ...running, state: late, text: "late", at: T0 + 2 })).toEqual(ended);
      }
      expect(await tasks.find(running.id)).toEqual(ended);
    });

    it("may end with their first report", async () => {
      const { tasks } = stores();
      const ended = task({ state: "failed", text: "No space" });
      expect(await tasks.save(ended)).toEqual(ended);
      expect(await tasks.save({ ...ended, state: "completed" })).toEqual(ended);
    });

    it("ended by many at once end once, and all learn how", async () => {
      const { tasks } = stores();
      const running = task();
      await tasks.save(running);
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          tasks.save({ ...running, state: index % 2 === 0 ? "completed" : "failed", text: `${index}`, at: T0 + index }),
        ),
      );
      const stored = await tasks.find(running.id);
      for (const answer of answers) expect(answer).toEqual(stored);
    });

    it("first reported by many at once are there once", async () => {
      const { tasks } = stores();
      const user = fresh("u");
      const one = task({ user });
      const answers = await Promise.all(Array.from({ length: 12 }, () => tasks.save(one)));
      for (const answer of answers) expect(answer).toEqual(one);
      expect(await tasks.running(user, 0, 10)).toEqual([one]);
    });

    it("that run are listed for their member, newest first, of those that reported lately", async () => {
      const { tasks } = stores();
      const user = fresh("u");
      const [first, second, third, done, moved] = [1, 2, 3, 4, 5].map((minute) => task({ user, at: T0 + minute })) as [
        Task,
        Task,
        Task,
        Task,
        Task,
      ];
      for (const one of [second, first, third, done, moved]) await tasks.save(one);
      await tasks.save({ ...done, state: "completed", at: T0 + 6 });
      await tasks.save({ ...moved, percent: 5, at: T0 });
      await tasks.save(task({ user: fresh("u"), at: T0 + 2 }));
      expect(ids(await tasks.running(user, T0, 10))).toEqual(ids([third, second, first]));
      expect(ids(await tasks.running(user, T0 - 1, 10))).toEqual(ids([third, second, first, moved]));
      expect(await tasks.running(user, T0 + 2, 10)).toEqual([third]);
      expect(ids(await tasks.running(user, 0, 2))).toEqual(ids([third, second]));
      expect(await tasks.running(user, 0, 0)).toEqual([]);
      expect(await tasks.running(fresh("u"), 0, 10)).toEqual([]);
    });

    it("that run are found for all members at once, the one that reported longest ago first", async () => {
      const { tasks } = stores();
      const [first, second, third, done, moved] = [1, 2, 3, 4, 5].map((age) => task({ user: fresh("u"), at: RECENT + age })) as [
        Task,
        Task,
        Task,
        Task,
        Task,
      ];
      for (const one of [second, first, third, done, moved]) await tasks.save(one);
      await tasks.save({ ...done, state: "completed", at: RECENT + 6 });
      await tasks.save({ ...moved, percent: 5, at: RECENT + 7 });
      expect(await tasks.recent(RECENT, 10)).toEqual([first, second, third, { ...moved, percent: 5, at: RECENT + 7 }]);
      expect(ids(await tasks.recent(RECENT + 3, 10))).toEqual(ids([third, moved]));
      expect(ids(await tasks.recent(RECENT, 2))).toEqual(ids([first, second]));
      expect(await tasks.recent(RECENT, 0)).toEqual([]);
      expect(await tasks.recent(RECENT + 8, 10)).toEqual([]);
    });

    it("are forgotten by the time of their last report, oldest first, some at a time, whatever their state", async () => {
      const { tasks } = stores();
      const old = [3, 1, 2].map((age) => task({ at: OLD + age, state: age === 2 ? "completed" : "running" }));
      for (const one of old) await tasks.save(one);
      const kept = async () => {
        const found = await Promise.all(old.map(({ id }) => tasks.find(id)));
        return found.flatMap((one) => (one === null ? [] : [one.at - OLD]));
      };
      expect(await tasks.forget(OLD + 1, 100)).toBe(0);
      expect(await tasks.forget(OLD + 3, 0)).toBe(0);
      expect(await tasks.forget(OLD + 3, 1)).toBe(1);
      expect(await kept()).toEqual([3, 2]);
      expect(await tasks.forget(OLD + 3, 100)).toBe(1);
      expect(await kept()).toEqual([3]);
      expect(await tasks.forget(OLD + 4, 100)).toBe(1);
      expect(await tasks.forget(OLD + 4, 100)).toBe(0);
    });

    it.each(["$gt", "__proto__", "constructor", "a.b.c", "🧮", "NULL"])("may have any names and texts, such as %j", async (odd) => {
      const { tasks } = stores();
      const one = task({ id: `${odd}${fresh("/")}`, user: `${odd}${fresh("/")}`, step: odd, title: odd, text: `$${odd}` });
      expect(await tasks.save(one)).toEqual(one);
      const later = { ...one, percent: 50, at: T0 + 1 };
      expect(await tasks.save(later)).toEqual(later);
      expect(await tasks.find(one.id)).toEqual(later);
      expect(await tasks.running(one.user, 0, 10)).toEqual([later]);
    });
  });
}
