import type Database from "libsql";
import type { Acquaintance, MemberChange, MemberRecord, MemberStore, Registration, Sanction } from "../../members/types.js";
import { findEach, guard, transaction } from "./connection.js";

interface MemberRow {
  user: string;
  name: string | null;
  roles: string;
  joinedAt: number;
  mute: string | null;
  ban: string | null;
}

const MEMBER = "user, name, roles, joined_at AS joinedAt, mute, ban";

/** Who is known, and their sanctions, in SQLite. */
export class SqliteMembers implements MemberStore {
  readonly #db: Database.Database;
  readonly #sql;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#sql = {
      find: db.prepare(`SELECT ${MEMBER} FROM members WHERE user = ?`),
      // An unchanged row is not written again: most of those who are met are known as they are.
      meet: db.prepare(
        `INSERT INTO members (user, name, roles, joined_at) VALUES (?1, ?2, coalesce(?3, '[]'), ?4) ON CONFLICT (user) DO UPDATE
           SET name = coalesce(?2, name), roles = coalesce(?3, roles), joined_at = min(joined_at, excluded.joined_at)
           WHERE name IS NOT coalesce(?2, name) OR roles IS NOT coalesce(?3, roles) OR joined_at > excluded.joined_at`,
      ),
      register: db.prepare(
        `INSERT INTO members (user, name, roles, joined_at) VALUES (?1, ?2, coalesce(?3, '[]'), coalesce(?4, ?5)) ON CONFLICT (user) DO UPDATE
           SET name = coalesce(?2, name), roles = coalesce(?3, roles), joined_at = coalesce(?4, joined_at) RETURNING ${MEMBER}`,
      ),
      page: db.prepare(`SELECT ${MEMBER} FROM members WHERE user > ? ORDER BY user LIMIT ?`),
      mute: db.prepare("UPDATE members SET mute = ? WHERE user = ?"),
      ban: db.prepare("UPDATE members SET ban = ? WHERE user = ?"),
    };
  }

  /** Within the transaction of the entry that the change belongs to. */
  apply({ user, mute, ban }: MemberChange): void {
    if (mute !== undefined) this.#sql.mute.run(mute === null ? null : JSON.stringify(mute), user);
    if (ban !== undefined) this.#sql.ban.run(ban === null ? null : JSON.stringify(ban), user);
  }

  find(users: string[]): Promise<Map<string, MemberRecord>> {
    return guard(() =>
      findEach(users, (user) => {
        const row = this.#sql.find.get(user) as MemberRow | undefined;
        return row === undefined ? null : toRecord(row);
      }),
    );
  }

  meet(members: Acquaintance[]): Promise<void> {
    return guard(() =>
      transaction(this.#db, () => {
        for (const { user, at, name, roles } of members) this.#sql.meet.run(user, name ?? null, encodeRoles(roles), at);
      }),
    );
  }

  register({ user, name, roles, joinedAt }: Registration, at: number): Promise<MemberRecord> {
    return guard(() => {
      const rows = this.#sql.register.all(user, name ?? null, encodeRoles(roles), joinedAt ?? null, at);
      return toRecord(rows[0] as MemberRow);
    });
  }

  page(after: string | null, limit: number): Promise<MemberRecord[]> {
    return guard(() => (this.#sql.page.all(after ?? "", limit) as MemberRow[]).map(toRecord));
  }
}

function encodeRoles(roles: string[] | undefined): string | null {
  return roles === undefined ? null : JSON.stringify(roles);
}

function toRecord({ user, name, roles, joinedAt, mute, ban }: MemberRow): MemberRecord {
  return { user, name, roles: JSON.parse(roles) as string[], joinedAt, mute: toSanction(mute), ban: toSanction(ban) };
}

function toSanction(text: string | null): Sanction | null {
  return text === null ? null : (JSON.parse(text) as Sanction);
}
