import type Database from "libsql";
import type { Progress, PushStore, Subscription, VapidKeys } from "../../push/types.js";
import { guard, transaction } from "./connection.js";

interface DeviceRow {
  id: string;
  user: string;
  endpoint: string;
  p256dh: string;
  auth: string;
  created_at: number;
  user_agent: string | null;
  cursor: number;
  failures: number;
  retry_at: number;
}

const DEVICE = "id, user, endpoint, p256dh, auth, created_at, user_agent, cursor, failures, retry_at";

/** Devices that are told by push, in SQLite, and the keys by which push services know this one. */
export class SqlitePush implements PushStore {
  readonly #db: Database.Database;
  readonly #sql;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#sql = {
      makeKeys: db.prepare("INSERT INTO push_keys (id, public_key, private_key) VALUES (1, ?, ?) ON CONFLICT DO NOTHING"),
      keys: db.prepare("SELECT public_key AS publicKey, private_key AS privateKey FROM push_keys"),
      // Right of the sign, names without "excluded" are those of the row as it was.
      put: db.prepare(
        `INSERT INTO push_devices (${DEVICE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
           endpoint = excluded.endpoint, p256dh = excluded.p256dh, auth = excluded.auth, user_agent = excluded.user_agent, user = excluded.user,
           created_at = CASE user WHEN excluded.user THEN created_at ELSE excluded.created_at END,
           cursor = CASE user WHEN excluded.user THEN cursor ELSE excluded.cursor END,
           failures = CASE user WHEN excluded.user THEN failures ELSE excluded.failures END,
           retry_at = CASE user WHEN excluded.user THEN retry_at ELSE excluded.retry_at END`,
      ),
      cut: db.prepare(
        `DELETE FROM push_devices WHERE id IN (
           SELECT id FROM push_devices WHERE user = ? AND id <> ? ORDER BY created_at DESC, id LIMIT -1 OFFSET ?)`,
      ),
      find: db.prepare(`SELECT ${DEVICE} FROM push_devices WHERE id = ?`),
      of: db.prepare(`SELECT ${DEVICE} FROM push_devices WHERE user = ? ORDER BY created_at, id DESC`),
      remove: db.prepare("DELETE FROM push_devices WHERE id = ? AND user = ?"),
      page: db.prepare(`SELECT ${DEVICE} FROM push_devices WHERE id > ? ORDER BY id LIMIT ?`),
      progress: db.prepare("UPDATE push_devices SET cursor = ?, failures = ?, retry_at = ? WHERE id = ? AND user = ?"),
    };
  }

  keys({ publicKey, privateKey }: VapidKeys): Promise<VapidKeys> {
    return guard(() => {
      this.#sql.makeKeys.run(publicKey, privateKey);
      const stored = this.#sql.keys.get() as VapidKeys;
      return { publicKey: stored.publicKey, privateKey: stored.privateKey };
    });
  }

  put(subscription: Subscription, max: number): Promise<Subscription> {
    const { id, user, endpoint, keys, createdAt, userAgent, cursor, failures, retryAt } = subscription;
    return guard(() =>
      transaction(this.#db, () => {
        this.#sql.put.run(id, user, endpoint, keys.p256dh, keys.auth, createdAt, userAgent, cursor, failures, retryAt);
        this.#sql.cut.run(user, id, Math.max(0, max - 1));
        return toSubscription(this.#sql.find.get(id) as DeviceRow);
      }),
    );
  }

  find(id: string): Promise<Subscription | null> {
    return guard(() => {
      const row = this.#sql.find.get(id) as DeviceRow | undefined;
      return row === undefined ? null : toSubscription(row);
    });
  }

  of(user: string): Promise<Subscription[]> {
    return guard(() => (this.#sql.of.all(user) as DeviceRow[]).map(toSubscription));
  }

  remove(user: string, id: string): Promise<boolean> {
    return guard(() => this.#sql.remove.run(id, user).changes === 1);
  }

  page(after: string | null, limit: number): Promise<Subscription[]> {
    return guard(() => (this.#sql.page.all(after ?? "", limit) as DeviceRow[]).map(toSubscription));
  }

  progress(changes: Progress[]): Promise<void> {
    return guard(() =>
      transaction(this.#db, () => {
        for (const { id, user, cursor, failures, retryAt } of changes) this.#sql.progress.run(cursor, failures, retryAt, id, user);
      }),
    );
  }
}

function toSubscription(row: DeviceRow): Subscription {
  const { id, user, endpoint, p256dh, auth, created_at, user_agent, cursor, failures, retry_at } = row;
  return {
    id,
    user,
    endpoint,
    keys: { p256dh, auth },
    createdAt: created_at,
    userAgent: user_agent,
    cursor,
    failures,
    retryAt: retry_at,
  };
}
