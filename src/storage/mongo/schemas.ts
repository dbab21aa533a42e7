import type { Connection, Model, mongo } from "mongoose";
import { Schema } from "mongoose";

/**
 * What the collections hold. Field names are short because BSON repeats them in every document; this file is the one place that says what
 * they mean. Texts named "JSON" are stored as text: nothing inside them is ever queried, and a text is cheaper to encode than a document.
 */

/** Where an entry or a mark stands: `s` stream, `n` seq. Documents compare field by field, so a stream's entries are neighbours. */
export interface Place {
  s: string;
  n: number;
}

/** An entry: `k` key, `d` kind, `t` time (ms), `u` unread after it, `o` own content (JSON), `p` publication, absent where there is none. */
export interface EntryDoc {
  _id: Place;
  k: string;
  d: string;
  t: number;
  u: number;
  o: string;
  p?: string;
}

/**
 * A publication: `_id` its id, `a` alias, absent where there is none, `k` key, `d` kind, `t` time (ms), `c` shared content (JSON), `r` the
 * plan's recipients (JSON), `n` note (JSON), `w` the attempt that wrote it.
 */
export interface PublicationDoc {
  _id: string;
  a?: string;
  k: string;
  d: string;
  t: number;
  c: string;
  r: string;
  n: string;
  w: string;
}

/** A stream's base: `b` the oldest seq kept. */
export interface BaseDoc {
  _id: string;
  b: number;
}

/** A mark: `r` seq that set the read time last, `t` read at, `a` archived at, `x` why rescinded, `u` true where it says "unread" by itself. */
export interface MarkDoc {
  _id: Place;
  r: number;
  t?: number;
  a?: number;
  x?: string;
  u?: true;
}

/** A member's watermarks, by stream: `r` read-all marks, `s` seen up to. */
export interface StateDoc {
  _id: string;
  r: Array<{ upTo: number; seq: number; at: number }>;
  s: number;
}

/** A device's cursor: `u` user, `d` device, `s` stream; `e` epoch, `n` seq, `t` time (ms). */
export interface CursorDoc {
  _id: { u: string; d: string; s: string };
  e: string;
  n: number;
  t: number;
}

/** A member by lower-cased username: `u` user id, `n` name, `a` avatar. */
export interface MemberDoc {
  _id: string;
  u: string;
  n?: string;
  a?: string;
}

/** A post: `t` topic, `n` number; `u` the author's user id. */
export interface PostDoc {
  _id: { t: string; n: number };
  u: string;
}

/** A subject that is gone: `w` why, `a` when it went, `t` when the service learned it (ms). */
export interface BurialDoc {
  _id: string;
  w: string;
  a: number;
  t: number;
}

/** The store itself: the migrations taken and the epoch. There is one, with the id `store`. */
export interface MetaDoc {
  _id: string;
  schema: number;
  epoch: string;
}

/** Indexes are made by migrations, never behind the program's back; a query by a field that does not exist is a fault, not "all". */
const OPTIONS = {
  autoIndex: false,
  autoCreate: false,
  bufferCommands: false,
  strictQuery: "throw",
  versionKey: false,
  minimize: false,
} as const;

const text = { type: String, required: true } as const;
const number = { type: Number, required: true } as const;
const part = <T>(fields: T) => ({ type: new Schema(fields as never, { _id: false }), required: true });
const place = part({ s: text, n: number });

function entrySchema() {
  const schema = new Schema({ _id: place, k: text, d: text, t: number, u: number, o: { type: String }, p: { type: String } }, OPTIONS);
  // The key comes first: the entries of one publication then share a page of the index, and finding them all needs no stream.
  return schema.index({ k: 1, "_id.s": 1 }, { unique: true });
}

function publicationSchema() {
  const schema = new Schema({ _id: text, a: { type: String }, k: text, d: text, t: number, c: text, r: text, n: text, w: text }, OPTIONS);
  return schema.index({ a: 1 }, { unique: true, partialFilterExpression: { a: { $exists: true } } });
}

function markSchema() {
  const schema = new Schema(
    { _id: place, r: number, t: { type: Number }, a: { type: Number }, x: { type: String }, u: { type: Boolean } },
    OPTIONS,
  );
  // Most marks are plain "read", which neither index holds.
  schema.index({ "_id.s": 1, "_id.n": -1 }, { name: "archived", partialFilterExpression: { a: { $exists: true } } });
  return schema.index({ "_id.s": 1, "_id.n": -1 }, { name: "marked_unread", partialFilterExpression: { u: true } });
}

/** All collections of a connection as models. */
export function defineModels(connection: Connection) {
  const readAll = [new Schema({ upTo: number, seq: number, at: number }, { _id: false })];
  const model = <D>(name: string, schema: unknown, collection: string): Model<D> =>
    connection.model<D>(name, schema as Schema<D>, collection);
  return {
    entries: model<EntryDoc>("Entry", entrySchema(), "entries"),
    publications: model<PublicationDoc>("Publication", publicationSchema(), "publications"),
    bases: model<BaseDoc>("Base", new Schema({ _id: text, b: number }, OPTIONS), "bases"),
    marks: model<MarkDoc>("Mark", markSchema(), "marks"),
    states: model<StateDoc>("InboxState", new Schema({ _id: text, r: readAll, s: number }, OPTIONS), "inbox_states"),
    cursors: model<CursorDoc>(
      "DeviceCursor",
      new Schema({ _id: part({ u: text, d: text, s: text }), e: text, n: number, t: number }, OPTIONS),
      "device_cursors",
    ),
    members: model<MemberDoc>("Member", new Schema({ _id: text, u: text, n: { type: String }, a: { type: String } }, OPTIONS), "members"),
    posts: model<PostDoc>("Post", new Schema({ _id: part({ t: text, n: number }), u: text }, OPTIONS), "posts"),
    burials: model<BurialDoc>("Burial", new Schema({ _id: text, w: text, a: number, t: number }, OPTIONS).index({ t: 1 }), "burials"),
    meta: model<MetaDoc>("Meta", new Schema({ _id: text, schema: number, epoch: text }, OPTIONS), "meta"),
  };
}

export type Models = ReturnType<typeof defineModels>;

/**
 * The driver's own collection of a model, for the paths where every microsecond counts: building mongoose documents cost 2.7–30 times as
 * much as the insert itself.
 */
export function driverCollection<D extends mongo.Document>(model: Model<D>): mongo.Collection<D> {
  return database(model).collection<D>(model.collection.collectionName);
}

/** The driver's database of a model. */
export function database<D>(model: Model<D>): mongo.Db {
  const { db } = model.db;
  if (db === undefined) throw new Error("the connection is not open");
  return db;
}
