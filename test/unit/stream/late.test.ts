import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { StreamLog } from "../../../src/stream/index.js";
import { type Embedded, openEmbedded } from "../../support/embedded.js";
import { faulty } from "../../support/faulty-store.js";

let embedded: Embedded;

beforeEach(async () => {
  embedded = await openEmbedded();
});

afterEach(async () => {
  await embedded.close();
});

describe("an entry whose insert arrives after the writer has sent it again", () => {
  it("is stored once, and whoever listens learns that it is there", async () => {
    const log = new StreamLog({ store: faulty(embedded.stores.streams, ["late"]) });
    const heard: number[] = [];
    log.subscribe(
      (_stream, entry) => heard.push(entry.seq),
      (_stream, seq) => heard.push(seq),
    );
    const request = { id: "event-1", alias: null, key: "comment:1", kind: "notification", shared: "{}", note: "[]" };
    const published = await log.publish({ ...request, plan: [{ stream: "inbox:ada", own: "{}" }] });
    expect(published.results).toEqual([{ stream: "inbox:ada", seq: 1, mine: true }]);
    expect((await log.tail("inbox:ada")).head).toBe(1);
    expect(heard).toEqual([1]);
    await log.close();
  });
});

describe("closing", () => {
  it("settles what was taken and refuses what comes later", async () => {
    const { log } = embedded;
    const taken = Array.from({ length: 500 }, (_, index) =>
      log.append(`inbox:${index % 7}`, { key: `key-${index}`, kind: "notification", own: "{}", count: 1 }),
    );
    const closed = log.close();
    const refused = log.append("inbox:late", { key: "late", kind: "notification", own: "{}", count: 1 });
    await expect(refused).rejects.toMatchObject({ code: "draining" });
    await closed;
    expect((await Promise.all(taken)).every(({ repeated }) => !repeated)).toBe(true);
    expect((await log.tail("inbox:0")).head).toBe(72);
  });
});
