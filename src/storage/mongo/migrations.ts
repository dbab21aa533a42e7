import { randomBytes } from "node:crypto";
import type { Model } from "mongoose";
import { BelfryError } from "../../errors.js";
import { StoreRefused } from "../types.js";
import { DUPLICATE_KEY, guard, outlast, serverCode } from "./errors.js";
import type { MetaDoc, Models } from "./schemas.js";

/**
 * How long after its first attempt the start begins another one. Threat: a start that waits for ever. Each attempt has a deadline of its own,
 * that of a call. Milliseconds.
 */
const PATIENCE_MS = 15_000;

/** The id of the one document in `meta`. */
const STORE = "store";

/** The step that makes each collection, with its indexes. */
const MADE_BY: Record<keyof Models, number> = {
  entries: 1,
  publications: 1,
  bases: 1,
  marks: 1,
  states: 1,
  cursors: 1,
  members: 1,
  posts: 1,
  burials: 1,
  meta: 1,
  profiles: 2,
  preferences: 2,
  counters: 2,
  announcements: 2,
  settled: 2,
  watermarks: 2,
  tasks: 2,
  topics: 2,
  leases: 3,
  activity: 4,
  pushDevices: 5,
  pushKeys: 5,
};

/**
 * The steps that lead to the present schema; a store's version is the number of steps taken. Two nodes that start together may take a step
 * at the same time, so each must be harmless when repeated.
 */
const MIGRATIONS: ReadonlyArray<(models: Models) => Promise<void>> = [
  (models) => makeCollections(models, 1),
  (models) => makeCollections(models, 2),
  (models) => makeCollections(models, 3),
  (models) => makeCollections(models, 4),
  (models) => makeCollections(models, 5),
];

/**
 * Brings the store's schema up to date and gives a new store its epoch; through an election, as a node may be started in the middle of one.
 * @throws StoreRefused when the store is newer than this program.
 */
export async function migrate(models: Models): Promise<void> {
  // The store may be there and not able to do it: a primary that stands still, or whose followers do.
  const isAway = (thrown: unknown): boolean => thrown instanceof BelfryError && thrown.code === "unavailable";
  const schema = await outlast(PATIENCE_MS, () => guard(() => takeSteps(models)), isAway);
  if (schema > MIGRATIONS.length) {
    throw new StoreRefused(
      `MONGODB_URL: the database has schema ${schema}, this program knows up to ${MIGRATIONS.length}; start the newer version of Belfry that wrote it.`,
    );
  }
}

/** Takes the steps that were not taken; returns the schema that was found. */
async function takeSteps(models: Models): Promise<number> {
  const { schema } = await firstMeta(models);
  for (const [index, step] of MIGRATIONS.entries()) {
    if (index < schema) continue;
    await step(models);
    await models.meta.updateOne({ _id: STORE, schema: index }, { $set: { schema: index + 1 } });
  }
  return schema;
}

/** The store's epoch as it is now. */
export async function readEpoch(models: Models): Promise<string> {
  const meta = await models.meta.findById(STORE).lean<MetaDoc | null>();
  if (meta === null) throw new Error("the store's meta document is missing");
  return meta.epoch;
}

/** Gives the history a new name. */
export async function writeEpoch(models: Models): Promise<string> {
  const epoch = newEpoch();
  await models.meta.updateOne({ _id: STORE }, { $set: { epoch } });
  return epoch;
}

/** The meta document, made if there is none; two nodes that start together get the same one. Where it is there, nothing is written. */
async function firstMeta(models: Models): Promise<MetaDoc> {
  const known = await models.meta.findById(STORE).lean<MetaDoc | null>();
  if (known !== null) return known;
  const upsert = () =>
    models.meta
      .findOneAndUpdate({ _id: STORE }, { $setOnInsert: { schema: 0, epoch: newEpoch() } }, { upsert: true, returnDocument: "after" })
      .lean<MetaDoc>();
  try {
    return (await upsert()) as MetaDoc;
  } catch (error) {
    if (serverCode(error) !== DUPLICATE_KEY) throw error;
    return (await upsert()) as MetaDoc;
  }
}

/** Leaves alone what is there already. */
async function makeCollections(models: Models, step: number): Promise<void> {
  for (const [name, model] of Object.entries(models) as unknown as Array<[keyof Models, Model<object>]>) {
    if (MADE_BY[name] !== step) continue;
    await model.createCollection();
    await model.createIndexes();
  }
}

/** An epoch is compared, never read; 72 bits make two alike not happen. */
function newEpoch(): string {
  return randomBytes(9).toString("base64url");
}
