import { describe, expect, it } from "@jest/globals";
import type { Subscription } from "../../../src/push/types.js";
import type { Stores } from "../../../src/storage/types.js";
import { fresh, T0 } from "../../support/rows.js";

/** A device with the fields that do not matter filled in. */
function device(over: Partial<Subscription> = {}): Subscription {
  const id = fresh("device");
  return {
    id,
    user: fresh("u"),
    endpoint: `https://push.example/${id}`,
    keys: { p256dh: "point", auth: "secret" },
    createdAt: T0,
    userAgent: null,
    cursor: 0,
    failures: 0,
    retryAt: 0,
    ...over,
  };
}

/** Devices that are told by push, and the keys by which push services know this one. */
export function pushContract(stores: () => Stores): void {
  const ids = (devices: Subscription[]) => devices.map(({ id }) => id);

  describe("the keys of push", () => {
    it("are those that were there first, whoever made others at the same time", async () => {
      const { push } = stores();
      const made = Array.from({ length: 12 }, (_, index) => ({ publicKey: `public-${index}`, privateKey: `private-${index}` }));
      const [first, ...others] = await Promise.all(made.map((keys) => push.keys(keys)));
      expect(made).toContainEqual(first);
      for (const keys of others) expect(keys).toEqual(first);
      expect(await push.keys({ publicKey: "late", privateKey: "late" })).toEqual(first);
    });
  });

  describe("devices of push", () => {
    it("that nobody added are not there", async () => {
      const { push } = stores();
      expect(await push.find(fresh("device"))).toBeNull();
      expect(await push.of(fresh("u"))).toEqual([]);
      expect(await push.remove(fresh("u"), fresh("device"))).toBe(false);
    });

    it("come back as they were added, the oldest first", async () => {
      const { push } = stores();
      const user = fresh("u");
      const plain = device({ user, createdAt: T0 + 2 });
      const full = device({ user, createdAt: T0 + 1, userAgent: "$a browser", cursor: 7, failures: 2, retryAt: T0 + 9 });
      for (const one of [plain, full, device()]) expect(await push.put(one, 20)).toEqual(one);
      expect(await push.find(full.id)).toEqual(full);
      expect(await push.of(user)).toEqual([full, plain]);
    });

    it("added again keep their age and how far they are, and get the rest anew", async () => {
      const { push } = stores();
      const first = device({ cursor: 7, failures: 3, retryAt: T0 + 5 });
      await push.put(first, 20);
      const again = {
        ...first,
        keys: { p256dh: "other", auth: "$other" },
        userAgent: "b",
        createdAt: T0 + 9,
        cursor: 9,
        failures: 0,
        retryAt: 0,
      };
      const expected = { ...again, createdAt: T0, cursor: 7, failures: 3, retryAt: T0 + 5 };
      expect(await push.put(again, 20)).toEqual(expected);
      expect(await push.find(first.id)).toEqual(expected);
    });

    it("belong to the member who added them last, and begin anew with them", async () => {
      const { push } = stores();
      const first = device({ cursor: 7, failures: 3, retryAt: T0 + 5 });
      await push.put(first, 20);
      const taken = { ...first, user: fresh("u"), createdAt: T0 + 9, cursor: 2, failures: 0, retryAt: 0 };
      expect(await push.put(taken, 20)).toEqual(taken);
      expect(await push.of(first.user)).toEqual([]);
      expect(await push.of(taken.user)).toEqual([taken]);
      await push.progress([{ ...first, cursor: 100 }]);
      expect(await push.find(first.id)).toEqual(taken);
    });

    it("are so many of a member: the oldest goes, and never the one that is added", async () => {
      const { push } = stores();
      const user = fresh("u");
      const [second, first, third] = [2, 1, 3].map((age) => device({ user, createdAt: T0 + age })) as [
        Subscription,
        Subscription,
        Subscription,
      ];
      const other = device();
      for (const one of [other, second, first, third]) await push.put(one, 3);
      const late = device({ user, createdAt: T0 });
      await push.put(late, 3);
      expect(ids(await push.of(user))).toEqual(ids([late, second, third]));
      await push.put({ ...third, createdAt: T0 + 9 }, 1);
      expect(await push.of(user)).toEqual([third]);
      expect(await push.find(other.id)).toEqual(other);
    });

    it("of a member are added by many at once, and are in the end no more than allowed", async () => {
      const { push } = stores();
      const user = fresh("u");
      await Promise.all(Array.from({ length: 12 }, (_, age) => push.put(device({ user, createdAt: T0 + age }), 4)));
      await push.put(device({ user, createdAt: T0 + 20 }), 4);
      expect(await push.of(user)).toHaveLength(4);
    });

    it("are taken away by their member, and by nobody else", async () => {
      const { push } = stores();
      const one = device();
      await push.put(one, 20);
      expect(await push.remove(fresh("u"), one.id)).toBe(false);
      expect(await push.find(one.id)).toEqual(one);
      expect(await push.remove(one.user, one.id)).toBe(true);
      expect(await push.remove(one.user, one.id)).toBe(false);
      expect(await push.find(one.id)).toBeNull();
    });

    it("move as far as is written, many at once, and those that are gone stay gone", async () => {
      const { push } = stores();
      const [one, other, gone] = [device(), device(), device()];
      for (const each of [one, other]) await push.put(each, 20);
      await push.progress([
        { ...one, cursor: 5, failures: 1, retryAt: T0 + 1 },
        { ...gone, cursor: 5 },
        { ...other, cursor: 6 },
      ]);
      await push.progress([]);
      expect(await push.find(one.id)).toEqual({ ...one, cursor: 5, failures: 1, retryAt: T0 + 1 });
      expect(await push.find(other.id)).toEqual({ ...other, cursor: 6 });
      expect(await push.find(gone.id)).toBeNull();
      // After a restore from a backup, the numbers of a stream begin lower.
      await push.progress([{ ...one, cursor: 2 }]);
      expect(await push.find(one.id)).toEqual({ ...one, cursor: 2 });
    });

    it("are walked through in pages, each once", async () => {
      const { push } = stores();
      const added = Array.from({ length: 5 }, () => device());
      for (const one of added) await push.put(one, 20);
      const walked: string[] = [];
      for (let after: string | null = null; ; ) {
        const page = await push.page(after, 2);
        walked.push(...ids(page));
        if (page.length < 2) break;
        after = page.at(-1)?.id ?? null;
      }
      expect(walked).toEqual([...new Set(walked)].sort());
      expect(walked).toEqual(expect.arrayContaining(ids(added)));
      expect(await push.page(null, 0)).toEqual([]);
    });

    it.each(["$gt", "__proto__", "constructor", "a.b.c", "🔔", "NULL"])(
      "may be of members and browsers of any name, such as %j",
      async (odd) => {
        const { push } = stores();
        const one = device({ user: `${odd}${fresh("/")}`, userAgent: `${odd}`, keys: { p256dh: odd, auth: `$${odd}` } });
        expect(await push.put(one, 20)).toEqual(one);
        expect(await push.of(one.user)).toEqual([one]);
      },
    );
  });
}
