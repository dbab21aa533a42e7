import { describe, expect, it } from "@jest/globals";
import type Database from "libsql";
import { mongo } from "mongoose";
import { serverError, writeFailure } from "../../../src/storage/mongo/errors.js";
import { SqliteDirectory } from "../../../src/storage/sqlite/directory.js";
import { SqliteSubjects } from "../../../src/storage/sqlite/subjects.js";
import { OutcomeUnknown } from "../../../src/stream/index.js";

describe("a failed write to MongoDB", () => {
  const server = (code: number) => serverError({ code, errmsg: "of the test" });

  it.each([
    ["may not be made by this user", server(13)],
    ["holds a document that is not valid", server(121)],
    ["holds a document that is too large", server(10334)],
    ["found no server", new mongo.MongoServerSelectionError("of the test", {} as mongo.TopologyDescription)],
  ])("is surely not stored where it %s", (_, error) => {
    expect(writeFailure(error, false)).toMatchObject({ code: "unavailable" });
    expect(writeFailure(error, true)).toBeInstanceOf(OutcomeUnknown);
  });

  it.each([
    ["met a primary that stepped down", server(189)],
    ["ran out of time", server(50)],
    ["was refused by a code that is not listed", server(424_242)],
    ["was on its way when the client was closed", new mongo.MongoClientClosedError()],
    ["lost its connection", new mongo.MongoNetworkError("of the test")],
    ["failed in a way that nobody foresaw", new TypeError("of the test")],
  ])("counts as unknown where it %s", (_, error) => {
    expect(writeFailure(error, false)).toBeInstanceOf(OutcomeUnknown);
  });
});

describe("a disk that fails under SQLite", () => {
  let isBroken = false;
  const fail = () => {
    if (!isBroken) return [];
    throw Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR_READ" });
  };
  const db = { prepare: () => ({ get: fail, all: fail, run: fail }), exec: () => {}, inTransaction: false } as unknown as Database.Database;
  const directory = new SqliteDirectory(db);
  const subjects = new SqliteSubjects(db);
  isBroken = true;

  it.each([
    ["learning a member", () => directory.learn([{ id: "7", username: "anna" }], [])],
    ["looking up a username", () => directory.membersByUsername(["anna"])],
    ["looking up an author", () => directory.postAuthors("t", [1])],
    ["burying a subject", () => subjects.bury("comment:1", { why: "deleted", at: 1, learnedAt: 1 })],
    ["looking up burials", () => subjects.buried(["comment:1"])],
  ])("makes %s unavailable, which is tried again, and no fault of the program", async (_, work) => {
    await expect(work()).rejects.toMatchObject({ code: "unavailable" });
  });
});
