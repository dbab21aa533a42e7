import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { Inbox } from "../../src/inbox/index.js";
import { openSqliteStore } from "../../src/storage/sqlite/index.js";
import type { Companion, Stores } from "../../src/storage/types.js";
import { StreamLog } from "../../src/stream/index.js";

/** The core and the inbox on an embedded store of their own. `clock.now` is the time that they see. */
export interface Embedded {
  stores: Stores;
  log: StreamLog<Companion>;
  inbox: Inbox;
  clock: { now: number };
  close(): Promise<void>;
}

export async function openEmbedded(): Promise<Embedded> {
  const dataDir = mkdtempSync(join(tmpdir(), "belfry-unit-"));
  const stores = await openSqliteStore(dataDir, pino({ level: "silent" }));
  const clock = { now: Date.parse("2026-01-01T00:00:00Z") };
  const log = new StreamLog<Companion>({ store: stores.streams, clock: () => clock.now });
  const inbox = new Inbox({ log, streams: stores.streams, store: stores.inbox, clock: () => clock.now });
  return {
    stores,
    log,
    inbox,
    clock,
    async close() {
      await log.close();
      await stores.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Tells a member of the comment `subject`; resolves with the notification's id and seq. */
export async function tell({ log, inbox }: Embedded, user: string, subject: string): Promise<{ id: string; seq: number }> {
  const stream = inbox.streamOf(user);
  const { results } = await log.publish({
    id: `event:${subject}`,
    alias: null,
    key: `comment:${subject}`,
    kind: "notification",
    shared: JSON.stringify({ type: "comment", actor: { id: "author" }, comment: { id: subject }, createdAt: "2026-01-01T00:00:00.000Z" }),
    plan: [{ stream, own: '{"reason":"reply"}' }],
    note: "[]",
  });
  const seq = results[0]?.seq as number;
  return { id: inbox.notificationId(stream, seq), seq };
}
