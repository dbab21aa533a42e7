import type { Connection, Model, mongo } from "mongoose";
import { Schema } from "mongoose";
import type { AnnouncementState } from "../../announcements/types.js";
import type { Level, Scope } from "../../preferences/types.js";
import type { TaskState } from "../../tasks/types.js";
import type { Access } from "../../topics/types.js";
import { type PushDeviceDoc, type PushKeysDoc, pushDeviceSchema, pushKeysSchema } from "./push-schemas.js";
import { number, OPTIONS, part, someNumber, someText, text } from "./schema-parts.js";

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

/** A mute or a ban: `u` until (ms), absent where it is for good, `w` why, `b` by whom, `t` since when (ms). */
export interface SanctionDoc {
  u?: number;
  w: string;
  b: string;
  t: number;
}

/** A member by user id: `n` name, `r` roles, `j` joined at (ms), `m` mute, `b` ban; what there is none of is absent. */
export interface ProfileDoc {
  _id: string;
  n?: string;
  r: string[];
  j: number;
  m?: SanctionDoc;
  b?: SanctionDoc;
}

/**
 * A setting: `u` user, `s` the scope of a level, or `block`, `i` what it is about: the thread, tag or category, or the other member. `l` level,
 * `t` until (ms), absent where it is for good; of a block `b`, whether it holds. `v` the version of its last change.
 */
export interface PreferenceDoc {
  _id: { u: string; s: Scope | "block"; i: string };
  l?: Level;
  t?: number;
  b?: boolean;
  v: number;
}

/** A number that only grows, by what it counts: `n` the last one given out. */
export interface CounterDoc {
  _id: string;
  n: number;
}

/**
 * An announcement: `v` revision, `s` state, `o` as its authors see it (JSON), `c` created, `f` from, `u` until, `e` ended (ms), `w` why it
 * ended, `n` the seq of its entry; what there is none of is absent.
 */
export interface AnnouncementDoc {
  _id: string;
  v: number;
  s: AnnouncementState;
  o: string;
  c: number;
  f?: number;
  u?: number;
  e?: number;
  w?: string;
  n?: number;
}

/** What a member has done about an announcement: `u` user, `a` announcement; `d` dismissed, `k` acknowledged (ms), absent where not. */
export interface SettledDoc {
  _id: { u: string; a: string };
  d?: number;
  k?: number;
}

/** A member's passings, by user id: `r` reached, `s` seen; `n` up to which seq, `t` when (ms). Absent where there are none. */
export interface WatermarkDoc {
  _id: string;
  r?: Array<{ n: number; t: number }>;
  s?: Array<{ n: number; t: number }>;
}

/** A task: `u` user, `s` state, `t` time of its last report (ms), `o` what it says: step, percent, title, url, text (JSON). */
export interface TaskDoc {
  _id: string;
  u: string;
  s: TaskState;
  t: number;
  o: string;
}

/** A topic: `n` seq of its last write, `t` its time (ms), `o` value (JSON), `a` who may look. */
export interface TopicDoc {
  _id: string;
  n: number;
  t: number;
  o: string;
  a: Access;
}

/** A lease, by name: `h` holder, `u` until, a date by the server's clock. */
export interface LeaseDoc {
  _id: string;
  h: string;
  u: Date;
}

/** What a process did in a minute: `t` when that began (ms), `p` process; `o` what (JSON). */
export interface ActivityDoc {
  _id: { t: number; p: string };
  o: string;
}

/** The store itself: the migrations taken and the epoch. There is one, with the id `store`. */
export interface MetaDoc {
  _id: string;
  schema: number;
  epoch: string;
}

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

function profileSchema() {
  const sanction = new Schema({ u: someNumber, w: text, b: text, t: number }, { _id: false });
  return new Schema({ _id: text, n: someText, r: [String], j: number, m: { type: sanction }, b: { type: sanction } }, OPTIONS);
}

function preferenceSchema() {
  const schema = new Schema(
    { _id: part({ u: text, s: text, i: text }), l: someText, t: someNumber, b: { type: Boolean }, v: number },
    OPTIONS,
  );
  return schema.index({ v: 1 }, { unique: true });
}

function announcementSchema() {
  const ends = { e: someNumber, w: someText, n: someNumber };
  const schema = new Schema({ _id: text, v: number, s: text, o: text, c: number, f: someNumber, u: someNumber, ...ends }, OPTIONS);
  schema.index({ c: 1, _id: 1 });
  return schema.index({ s: 1, c: 1, _id: 1 });
}

function watermarkSchema() {
  const passings = [new Schema({ n: number, t: number }, { _id: false })];
  return new Schema({ _id: text, r: passings, s: passings }, OPTIONS);
}

function taskSchema() {
  const schema = new Schema({ _id: text, u: text, s: text, t: number, o: text }, OPTIONS);
  // Most tasks have ended.
  schema.index({ u: 1, t: -1 }, { name: "running", partialFilterExpression: { s: "running" } });
  return schema.index({ t: 1 });
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
    profiles: model<ProfileDoc>("Profile", profileSchema(), "profiles"),
    preferences: model<PreferenceDoc>("Preference", preferenceSchema(), "preferences"),
    counters: model<CounterDoc>("Counter", new Schema({ _id: text, n: number }, OPTIONS), "counters"),
    announcements: model<AnnouncementDoc>("Announcement", announcementSchema(), "announcements"),
    settled: model<SettledDoc>(
      "Settled",
      new Schema({ _id: part({ u: text, a: text }), d: someNumber, k: someNumber }, OPTIONS),
      "settled",
    ),
    watermarks: model<WatermarkDoc>("Watermark", watermarkSchema(), "watermarks"),
    tasks: model<TaskDoc>("Task", taskSchema(), "tasks"),
    topics: model<TopicDoc>(
      "Topic",
      new Schema({ _id: text, n: number, t: number, o: text, a: { type: Schema.Types.Mixed } }, OPTIONS),
      "topics",
    ),
    leases: model<LeaseDoc>("Lease", new Schema({ _id: text, h: text, u: { type: Date, required: true } }, OPTIONS), "leases"),
    activity: model<ActivityDoc>(
      "Activity",
      new Schema({ _id: part({ t: number, p: text }), o: text }, OPTIONS).index({ "_id.t": 1 }),
      "activity",
    ),
    pushDevices: model<PushDeviceDoc>("PushDevice", pushDeviceSchema(), "push_devices"),
    pushKeys: model<PushKeysDoc>("PushKeys", pushKeysSchema(), "push_keys"),
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
