import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { BelfryError } from "../../../src/errors.js";
import { parseTopics, Topics, type TopicValue } from "../../../src/topics/index.js";
import { until } from "../../support/member.js";
import { MemoryTopics } from "./memory-topics.js";

function open() {
  const store = new MemoryTopics();
  const topics = new Topics({ store, clock: () => Date.parse("2026-01-01T00:00:00Z") });
  const heard: TopicValue[] = [];
  topics.subscribe((value) => heard.push(value));
  return { store, topics, heard };
}

const refusal = (code: string, message?: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(message ?? /./) });

describe("a topic", () => {
  it("has the value that was written last, counted from 1, and those who listen hear of each once it is stored", async () => {
    const { topics, heard, store } = open();
    expect(await topics.write("board/1", { data: { score: 3 }, access: "public" })).toEqual({
      topic: "board/1",
      seq: 1,
      at: "2026-01-01T00:00:00.000Z",
      data: { score: 3 },
      access: "public",
    });
    expect(await topics.write("board/1", { data: null })).toMatchObject({ seq: 2, data: null, access: "public" });
    expect(heard.map(({ seq, data }) => [seq, data])).toEqual([
      [1, '{"score":3}'],
      [2, "null"],
    ]);
    expect(await topics.look(["board/1", "never-written"], null)).toEqual(new Map([["board/1", store.values.get("board/1")]]));
  });

  it("can be read back by a server, whoever may look at it", async () => {
    const { topics } = open();
    const written = await topics.write("board", { data: { score: 3 }, access: ["staff"] });
    expect(await topics.read("board")).toEqual(written);
    await expect(topics.read("never-written")).rejects.toEqual(refusal("not_found"));
    await expect(topics.read("a b")).rejects.toEqual(refusal("bad_request"));
  });

  it("shares one write among all values that come while one is under way; the newest wins and answers them all", async () => {
    const { topics, store, heard } = open();
    let open_ = () => {};
    const gate = new Promise<void>((resolve) => {
      open_ = resolve;
    });
    store.before = (operation) => (operation === "write" ? gate : Promise.resolve());
    const first = topics.write("board", { data: 0 });
    await until("the write is under way", () => store.writes > 0);
    const later = Array.from({ length: 1_000 }, (_, index) => topics.write("board", { data: index + 1 }));
    const other = topics.write("other", { data: "other" });
    open_();
    expect(await first).toMatchObject({ seq: 1, data: 0 });
    for (const answer of await Promise.all(later)) expect(answer).toMatchObject({ seq: 2, data: 1_000 });
    expect(await other).toMatchObject({ seq: 1, data: "other" });
    expect(store.writes).toBe(3);
    expect(heard.filter(({ topic }) => topic === "board").map(({ data }) => data)).toEqual(["0", "1000"]);
  });

  it("keeps an access that a value said which was overtaken by the next", async () => {
    const { topics } = open();
    const answers = await Promise.all([topics.write("board", { data: 1, access: ["staff"] }), topics.write("board", { data: 2 })]);
    expect(answers.map(({ seq, data, access }) => ({ seq, data, access }))).toEqual(Array(2).fill({ seq: 1, data: 2, access: ["staff"] }));
  });

  it("takes the next write after one that failed, which tells its own callers only", async () => {
    const { topics, store, heard } = open();
    await topics.write("board", { data: 1 });
    store.before = async () => {
      store.before = async () => {};
      throw new BelfryError("unavailable");
    };
    const failing = topics.write("board", { data: 2 });
    await expect(failing).rejects.toEqual(refusal("unavailable"));
    expect(await topics.write("board", { data: 3 })).toMatchObject({ seq: 2, data: 3 });
    expect(heard.map(({ data }) => data)).toEqual(["1", "3"]);
  });

  it("is for those that its access names", async () => {
    const { topics } = open();
    for (const [name, access] of Object.entries({ all: "public", own: "members", some: ["staff", "crew"] })) {
      await topics.write(name, { data: 1, access });
    }
    await topics.write("unsaid", { data: 1 });
    expect([...(await topics.look(["all"], null)).keys()]).toEqual(["all"]);
    expect((await topics.look(["all", "own", "some", "unsaid"], { roles: ["crew"] })).size).toBe(4);
    await expect(topics.look(["all", "unsaid"], null)).rejects.toEqual(refusal("forbidden", /unsaid/));
    await expect(topics.look(["all", "own", "some"], { roles: ["staffer"] })).rejects.toEqual(refusal("forbidden", /some/));
  });

  it("cannot be made once there are 100,000, while those that exist are written on", async () => {
    const { topics, store } = open();
    await topics.write("old", { data: 1 });
    store.counted = 100_000;
    await expect(topics.write("new", { data: 1 })).rejects.toEqual(refusal("bad_request", /100000/));
    expect(await topics.write("old", { data: 2 })).toMatchObject({ seq: 2 });
    expect(await new Topics({ store }).write("old", { data: 3 })).toMatchObject({ seq: 3 });
    store.counted = 99_999;
    store.before = () => new Promise((resolve) => setImmediate(resolve));
    const both = await Promise.allSettled([topics.write("new-1", { data: 1 }), topics.write("new-2", { data: 1 })]);
    expect(both.filter(({ status }) => status === "fulfilled").length).toBeLessThanOrEqual(1);
  });
});

describe("a value that another node has stored", () => {
  const value: TopicValue = { topic: "board/1", seq: 7, at: 5, data: '{"score":3}', access: "public" };

  it("is heard by all who listen, and stored nowhere", () => {
    const { topics, heard, store } = open();
    topics.hear({ ...value, more: "of a later version" });
    topics.hear({ ...value, access: ["staff"] });
    expect(heard).toEqual([value, { ...value, access: ["staff"] }]);
    expect([store.writes, store.values.size]).toEqual([0, 0]);
  });

  it.each([
    ["no topic", { topic: undefined }],
    ["a name that is none", { topic: "a b" }],
    ["a name that would end the packet's text", { topic: '","seq":9' }],
    ["no seq", { seq: undefined }],
    ["a seq of 0", { seq: 0 }],
    ["a seq that is a text", { seq: "7" }],
    ["a seq with a fraction", { seq: 1.5 }],
    ["a time that no calendar has", { at: 8.64e15 + 1 }],
    ["data that is no text", { data: { score: 3 } }],
    ["data that is no JSON", { data: '{"score":3},"more":1' }],
    ["data of more than 64 KiB", { data: JSON.stringify("x".repeat(64 * 1024)) }],
    ["no access", { access: undefined }],
    ["an access that is no word", { access: "all" }],
    ["33 roles", { access: Array(33).fill("r") }],
  ])("with %s is refused, and nobody hears of it", (_title, wrong) => {
    const { topics, heard } = open();
    expect(() => topics.hear({ ...value, ...wrong })).toThrow(BelfryError);
    expect(heard).toEqual([]);
  });

  it("is either refused or heard as it is, whatever a foreign program sends", () => {
    const { topics, heard } = open();
    const nearly = fc.record(
      {
        topic: fc.oneof(fc.constant("board"), fc.string()),
        seq: fc.oneof(fc.integer(), fc.double()),
        at: fc.oneof(fc.integer(), fc.double()),
        data: fc.oneof(fc.json(), fc.string()),
        access: fc.oneof(fc.constantFrom("public", "members"), fc.array(fc.string()), fc.string()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.anything(), nearly), (input) => {
        heard.length = 0;
        try {
          topics.hear(input);
        } catch (error) {
          expect(error).toBeInstanceOf(BelfryError);
          expect(heard).toEqual([]);
          return;
        }
        expect(heard).toHaveLength(1);
        expect(input).toMatchObject(heard[0] as TopicValue);
        expect(() => JSON.parse(heard[0]?.data ?? "")).not.toThrow();
        expect(() => new Date(heard[0]?.at ?? Number.NaN).toISOString()).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });
});

describe("bad input", () => {
  it.each([
    ["a name with a space", "a b", { data: 1 }, /topic must be/],
    ["an empty name", "", { data: 1 }, /topic must be/],
    ["a name of 129 characters", "x".repeat(129), { data: 1 }, /topic must be/],
    ["a name that is no text", { a: 1 }, { data: 1 }, /topic must be/],
    ["no data", "board", { access: "public" }, /data is missing/],
    ["no body", "board", undefined, /is missing/],
    ["a body that is a list", "board", [1], /must be an object/],
    ["an access that is no word", "board", { data: 1, access: "all" }, /access must be/],
    ["an empty list of roles", "board", { data: 1, access: [] }, /access must have at least 1/],
    ["33 roles", "board", { data: 1, access: Array(33).fill("r") }, /access must be/],
    ["a role that is no text", "board", { data: 1, access: [7] }, /access must be/],
  ])("%s is refused with what is wrong, and stores nothing", async (_title, name, body, message) => {
    const { topics, store } = open();
    await expect(topics.write(name, body)).rejects.toEqual(refusal("bad_request", message));
    expect(store.writes).toBe(0);
  });

  it("takes a value of 64 KiB as JSON and refuses one byte more", async () => {
    const { topics } = open();
    expect(await topics.write("board", { data: "é".repeat(32 * 1024 - 1) })).toMatchObject({ seq: 1 });
    await expect(topics.write("board", { data: `${"é".repeat(32 * 1024 - 1)}x` })).rejects.toEqual(refusal("too_large"));
  });

  it("takes the names of a request each once, 50 at most, and any name of the allowed characters", () => {
    expect(parseTopics({ topics: ["a", "b", "a"] })).toEqual(["a", "b"]);
    const letters = fc.string({ unit: fc.constantFrom(..."azAZ09._:/-"), minLength: 1, maxLength: 128 });
    fc.assert(fc.property(letters, (name) => expect(parseTopics({ topics: [name] })).toEqual([name])));
    for (const payload of [undefined, null, 7, [], {}, { topics: [] }, { topics: "a" }, { topics: [7] }, { topics: Array(51).fill("a") }]) {
      expect(() => parseTopics(payload)).toThrow(BelfryError);
    }
  });
});
