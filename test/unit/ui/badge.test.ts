import { describe, expect, it } from "@jest/globals";
import type { Belfry } from "belfry-client";
import { keepBadge } from "../../../client/ui/src/page/badge.js";

describe("the number on a page's icon", () => {
  it("follows what is unread, once that is known, and goes with the last of it", () => {
    const shown: Array<number | null> = [];
    const badge = { setAppBadge: async (count?: number) => void shown.push(count ?? 0), clearAppBadge: async () => void shown.push(null) };
    let tell = () => {};
    let isOver = false;
    const client = {
      status: { synced: false } as Belfry["status"],
      unreadNotifications: 0,
      subscribe: (listener: () => void) => {
        tell = listener;
        return () => {
          isOver = true;
        };
      },
    };
    const change = (change: Partial<typeof client>) => {
      Object.assign(client, change);
      tell();
    };
    const end = keepBadge(client, badge);
    expect(shown).toEqual([]);
    change({ status: { synced: true } as Belfry["status"], unreadNotifications: 2 });
    change({});
    change({ unreadNotifications: 0 });
    expect(shown).toEqual([2, null]);
    end();
    expect(isOver).toBe(true);
  });

  it("is left alone where the browser has none, or refuses it", async () => {
    const client = { status: { synced: true } as Belfry["status"], unreadNotifications: 1, subscribe: () => () => {} };
    expect(() => keepBadge(client, {})).not.toThrow();
    keepBadge(client, { setAppBadge: () => Promise.reject(new Error("not installed")) });
    await new Promise((resolve) => setImmediate(resolve));
  });
});
