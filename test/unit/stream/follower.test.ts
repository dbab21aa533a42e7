import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Follower, StreamLog } from "../../../src/stream/index.js";
import { type Embedded, openEmbedded } from "../../support/embedded.js";
import { until } from "../../support/member.js";

let embedded: Embedded;
const followers: Follower[] = [];

beforeEach(async () => {
  embedded = await openEmbedded();
});
afterEach(async () => {
  for (const follower of followers.splice(0)) await follower.stop();
  await embedded.close();
});

function append(log: Pick<StreamLog, "append">, key: string, stream = "news") {
  return log.append(stream, { key, kind: "news", own: JSON.stringify({ key }), count: 0 });
}

function follow(from: number): { follower: Follower; heard: number[]; errors: unknown[] } {
  const heard: number[] = [];
  const errors: unknown[] = [];
  const follower = new Follower({
    log: embedded.log,
    stream: "news",
    onEntry: ({ seq }) => heard.push(seq),
    onError: (error) => errors.push(error),
  });
  followers.push(follower);
  follower.start(from);
  return { follower, heard, errors };
}

describe("a follower", () => {
  it("hears of each entry of its stream once, in order, the moment it is stored, and of no other stream", async () => {
    const { follower, heard } = follow(0);
    for (let count = 0; count < 20; count++) await append(embedded.log, `here ${count}`);
    await append(embedded.log, "elsewhere", "other");
    expect(heard).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    expect(follower.seq).toBe(20);
  });

  it("hears what another node has written, in its place among what this node writes", async () => {
    const other = new StreamLog({ store: embedded.stores.streams });
    const { follower, heard } = follow(0);
    for (let count = 0; count < 250; count++) await append(count % 3 === 0 ? embedded.log : other, `entry ${count}`);
    await follower.reach(250);
    expect(heard).toEqual(Array.from({ length: 250 }, (_, index) => index + 1));
    await other.close();
  });

  it("finds what another node has written without being told", async () => {
    const other = new StreamLog({ store: embedded.stores.streams });
    const { heard } = follow(0);
    await append(other, "one");
    await until("the follower has looked", () => heard.length === 1);
    await other.close();
  });

  it("begins after the entry that is known, and goes on after what was trimmed away", async () => {
    for (let count = 0; count < 10; count++) await append(embedded.log, `old ${count}`);
    const { follower, heard } = follow(8);
    await follower.reach(10);
    expect(heard).toEqual([9, 10]);
    const late = follow(2);
    await embedded.log.trim("news", 7);
    await late.follower.reach(10);
    expect(late.heard).toEqual([7, 8, 9, 10]);
  });

  it("hears nothing more once it is stopped", async () => {
    const { follower, heard } = follow(0);
    await append(embedded.log, "one");
    await follower.stop();
    await append(embedded.log, "two");
    expect(heard).toEqual([1]);
  });
});
