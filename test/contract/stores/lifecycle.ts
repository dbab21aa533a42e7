import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { StoreRefused } from "../../../src/storage/types.js";
import { append, fresh, publish, record, row } from "../../support/rows.js";
import type { OpenStore, StoreUnderTest } from "./under-test.js";

/** What outlives a process. */
export function lifecycleContract(name: string, open: OpenStore): void {
  describe(`${name}: the life of a store`, () => {
    let store: StoreUnderTest;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.destroy());

    it("keeps everything when it is opened again", async () => {
      const stream = fresh("s");
      const publication = record(fresh("p"), [stream]);
      await publish(store.stores.streams, publication);
      await store.stores.inbox.saveDeviceCursors([{ user: "u", device: "d", stream: "inbox", epoch: "e", seq: 1, at: 1 }], 3);
      await store.stores.directory.learn([{ id: "7", username: "anna" }], []);
      await store.stores.subjects.bury("comment:1", { why: "deleted", at: 1, learnedAt: 2 });
      await store.stores.close();
      const again = await store.reopen();
      expect((await again.streams.read(stream, 0, 1, 1))[0]?.shared).toBe(publication.shared);
      expect((await again.streams.tails([stream])).get(stream)?.head).toBe(1);
      expect(await again.inbox.deviceCursors("u", "d")).toEqual({ inbox: { epoch: "e", seq: 1 } });
      expect((await again.directory.membersByUsername(["anna"])).get("anna")).toBe("7");
      expect(await again.subjects.buried(["comment:1"])).toEqual(new Map([["comment:1", { why: "deleted", at: 1, learnedAt: 2 }]]));
    });

    it("keeps its epoch when it is opened again", async () => {
      const epoch = await store.stores.streams.epoch();
      expect(epoch.length).toBeGreaterThanOrEqual(8);
      await store.stores.close();
      expect(await (await store.reopen()).streams.epoch()).toBe(epoch);
    });

    it("has another epoch than another store", async () => {
      const other = await open();
      try {
        expect(await other.stores.streams.epoch()).not.toBe(await store.stores.streams.epoch());
      } finally {
        await other.destroy();
      }
    });

    it("gets a new epoch on demand, which lasts, and loses no entry by it", async () => {
      const before = await store.stores.streams.epoch();
      const stream = fresh("s");
      await append(store.stores.streams, row(stream, 1));
      const after = await store.stores.renewEpoch();
      expect(after).not.toBe(before);
      expect(await store.stores.streams.epoch()).toBe(after);
      await store.stores.close();
      const again = await store.reopen();
      expect(await again.streams.epoch()).toBe(after);
      expect((await again.streams.tails([stream])).get(stream)?.head).toBe(1);
    });

    it("is refused when a newer version of the program wrote it, with a message that says what to do", async () => {
      await store.stores.close();
      await store.pretendNewer();
      const refusal = await store.reopen().then(
        () => null,
        (error: unknown) => error,
      );
      expect(refusal).toBeInstanceOf(StoreRefused);
      expect((refusal as StoreRefused).message).toMatch(/newer version/);
    });

    it("can be closed twice", async () => {
      await store.stores.close();
      await expect(store.stores.close()).resolves.toBeUndefined();
    });
  });
}
