/** Fills a store before the service starts on it, by the service's own doors to it. */
import pino from "pino";
import { memberName } from "./events.mjs";

/** Members of one write, and settings under way at a time. */
const TOGETHER = 1_000;

/** Runs `fill(stores)` on the store of `{ dataDir, mongodbUrl }`. */
async function withStores({ dataDir, mongodbUrl = null }, fill) {
  // Not before it is built; a fresh clone has no such file, and the structure check asks for what is named by a text.
  const { openStores } = await import(new URL("../../dist/src/app.js", import.meta.url).href);
  const stores = await openStores({ dataDir, mongodbUrl }, pino({ level: "silent" }));
  try {
    await fill(stores);
  } finally {
    await stores.close();
  }
}

/** Makes the first `count` members known. */
export function knowMembers(where, count) {
  return withStores(where, async ({ members }) => {
    const at = Date.now() - 86_400_000;
    for (let from = 0; from < count; from += TOGETHER) {
      const length = Math.min(TOGETHER, count - from);
      await members.meet(Array.from({ length }, (_, n) => ({ user: memberName(from + n), at, roles: [] })));
    }
  });
}

/**
 * Stores `count` settings of members from the number `from` on, who are told of nothing here: one half blocks of the events' authors, the
 * other half levels: the events' threads and category muted, other threads watched.
 */
export function haveSettings(where, count, from) {
  const settings = [
    ({ preferences }, n) => preferences.setBlock({ user: memberName(from + n), other: `author-${n % 500}`, blocked: true }),
    ({ preferences }, n) => preferences.setLevel(level(n, "thread", String(n % 500), "muted")),
    ({ preferences }, n) => preferences.setBlock({ user: memberName(from + n), other: memberName(from + n + 1), blocked: true }),
    ({ preferences }, n) =>
      preferences.setLevel(n % 8 < 4 ? level(n, "category", "7", "muted") : level(n, "thread", `other-${n}`, "watching")),
  ];
  const level = (n, scope, id, value) => ({ user: memberName(from + n), scope, id, level: value, until: null });
  return withStores(where, async (stores) => {
    for (let next = 0; next < count; ) {
      const some = [];
      for (; next < count && some.length < TOGETHER; next++) some.push(settings[next % settings.length](stores, next));
      await Promise.all(some);
    }
  });
}
