import type Database from "libsql";
import type { DirectoryStore, KnownMember, KnownPost } from "../../community/types.js";
import { guard, transaction } from "./connection.js";

/** What was learned of the forum's members and posts, in SQLite. */
export class SqliteDirectory implements DirectoryStore {
  readonly #db: Database.Database;
  readonly #sql;

  constructor(db: Database.Database) {
    this.#db = db;
    this.#sql = {
      // An unchanged row is not written again: every post of a member names the member.
      learnMember: db.prepare(
        `INSERT INTO usernames VALUES (?, ?, ?, ?) ON CONFLICT (username) DO UPDATE
           SET user = excluded.user, name = excluded.name, avatar = excluded.avatar
           WHERE user IS NOT excluded.user OR name IS NOT excluded.name OR avatar IS NOT excluded.avatar`,
      ),
      learnPost: db.prepare(
        `INSERT INTO posts VALUES (?, ?, ?) ON CONFLICT (topic, number) DO UPDATE SET author = excluded.author
           WHERE author IS NOT excluded.author`,
      ),
      user: db.prepare("SELECT user FROM usernames WHERE username = ?"),
      author: db.prepare("SELECT author FROM posts WHERE topic = ? AND number = ?"),
    };
  }

  learn(members: KnownMember[], posts: KnownPost[]): Promise<void> {
    return guard(() =>
      transaction(this.#db, () => {
        for (const { id, username, name, avatar } of members) {
          this.#sql.learnMember.run(username.toLowerCase(), id, name ?? null, avatar ?? null);
        }
        for (const { topic, number, author } of posts) this.#sql.learnPost.run(topic, number, author);
      }),
    );
  }

  membersByUsername(usernames: string[]): Promise<Map<string, string>> {
    return guard(() => {
      const known = new Map<string, string>();
      for (const username of usernames) {
        const row = this.#sql.user.get(username.toLowerCase()) as { user: string } | undefined;
        if (row !== undefined) known.set(username.toLowerCase(), row.user);
      }
      return known;
    });
  }

  postAuthors(topic: string, numbers: number[]): Promise<Map<number, string>> {
    return guard(() => {
      const known = new Map<number, string>();
      for (const number of numbers) {
        const row = this.#sql.author.get(topic, number) as { author: string } | undefined;
        if (row !== undefined) known.set(number, row.author);
      }
      return known;
    });
  }
}
