import { randomBytes } from "node:crypto";
import type { Model } from "mongoose";
import { StoreRefused } from "../types.js";
import { DUPLICATE_KEY, serverCode } from "./errors.js";
import type { MetaDoc, Models } from "./schemas.js";

/** The id of the one document in `meta`. */
const STORE = "store";

/**
 * The steps that lead to the present schema; a store's version is the number of steps taken. Two nodes that start together may take a step
 * at the same time, so each must be harmless when repeated.
 */
const MIGRATIONS: ReadonlyArray<(models: Models) => Promise<void>> = [
  async (models) => {
    for (const model of Object.values(models) as unknown as Array<Model<object>>) {
      await model.createCollection();
      await model.createIndexes();
    }
  },
];

/**
 * Brings the store's schema up to date and gives a new store its epoch.
 * @throws StoreRefused when the store is newer than this program.
 */
export async function migrate(models: Models): Promise<void> {
  const { schema } = await firstMeta(models);
  if (schema > MIGRATIONS.length) {
    throw new StoreRefused(
      `MONGODB_URL: the database has schema ${schema}, this program knows up to ${MIGRATIONS.length}; start the newer version of Belfry that wrote it.`,
    );
  }
  for (const [index, step] of MIGRATIONS.entries()) {
    if (index < schema) continue;
    await step(models);
    await models.meta.updateOne({ _id: STORE, schema: index }, { $set: { schema: index + 1 } });
  }
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

/** The meta document, made if there is none; two nodes that start together get the same one. */
async function firstMeta(models: Models): Promise<MetaDoc> {
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

/** An epoch is compared, never read; 72 bits make two alike not happen. */
function newEpoch(): string {
  return randomBytes(9).toString("base64url");
}
