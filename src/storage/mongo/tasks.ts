import type { mongo } from "mongoose";
import type { Task, TaskStore } from "../../tasks/types.js";
import { DEADLINE } from "./connection.js";
import { contend } from "./contend.js";
import { type Read, reader } from "./elections.js";
import { guard } from "./errors.js";
import { driverCollection, type Models, type TaskDoc } from "./schemas.js";

/** Tasks in MongoDB. */
export class MongoTasks implements TaskStore {
  readonly #tasks: mongo.Collection<TaskDoc>;
  readonly #read: Read;

  constructor(models: Models) {
    this.#read = reader(models);
    this.#tasks = driverCollection(models.tasks);
  }

  find(id: string): Promise<Task | null> {
    return this.#read(async () => {
      const doc = await this.#tasks.findOne({ _id: id }, DEADLINE);
      return doc === null ? null : toTask(doc);
    });
  }

  save(task: Task): Promise<Task> {
    // Decided by the server, in one step. A literal, because a text that begins with "$" would name a field.
    const next = { $literal: toDoc(task) };
    const update = [{ $replaceWith: { $cond: [{ $in: ["$s", ["completed", "failed"]] }, "$$ROOT", next] } }];
    return contend(async () => {
      const doc = await this.#tasks.findOneAndUpdate({ _id: task.id }, update, { ...DEADLINE, upsert: true, returnDocument: "after" });
      return toTask(doc as TaskDoc);
    });
  }

  running(user: string, since: number, limit: number): Promise<Task[]> {
    return this.#read(async () => {
      // A limit of 0 means "all" to MongoDB.
      if (limit <= 0) return [];
      const filter: mongo.Filter<TaskDoc> = { u: user, s: "running", t: { $gt: since } };
      return (await this.#tasks.find(filter, { ...DEADLINE, sort: { t: -1 }, limit }).toArray()).map(toTask);
    });
  }

  recent(since: number, limit: number): Promise<Task[]> {
    return this.#read(async () => {
      // A limit of 0 means "all" to MongoDB.
      if (limit <= 0) return [];
      const filter: mongo.Filter<TaskDoc> = { s: "running", t: { $gte: since } };
      return (await this.#tasks.find(filter, { ...DEADLINE, sort: { t: 1 }, limit, batchSize: limit }).toArray()).map(toTask);
    });
  }

  forget(olderThan: number, limit: number): Promise<number> {
    return guard(async () => {
      if (limit <= 0) return 0;
      const old = { t: { $lt: olderThan } };
      const docs = await this.#tasks.find(old, { ...DEADLINE, sort: { t: 1 }, limit, projection: { _id: 1 } }).toArray();
      if (docs.length === 0) return 0;
      // The time again: one that has reported meanwhile stays.
      const { deletedCount } = await this.#tasks.deleteMany({ _id: { $in: docs.map(({ _id }) => _id) }, ...old }, DEADLINE);
      return deletedCount;
    });
  }
}

function toDoc({ id, user, state, at, ...said }: Task): TaskDoc {
  return { _id: id, u: user, s: state, t: at, o: JSON.stringify(said) };
}

function toTask({ _id, u, s, t, o }: TaskDoc): Task {
  const said = JSON.parse(o) as Omit<Task, "id" | "user" | "state" | "at">;
  return { id: _id, user: u, state: s, ...said, at: t };
}
