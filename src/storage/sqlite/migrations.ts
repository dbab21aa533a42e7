/**
 * The schema, as the steps that lead to it; a step that has been released never changes. The file's version is the number of steps taken.
 *
 * entries: rows are appended at the end of the table, so that a commit writes few pages for its content; only the two small indexes are
 * written in random places. Clustering by (stream, seq) cost 5 µs more an insert, because every row then dirties a page of its own. The
 * index of keys has the key first: the entries of one publication are neighbours in it (4 µs), and `find` needs no stream.
 *
 * watermarks: a row grows to more than a kilobyte, too long for a table that is clustered by its key: there the update of a full one took
 * 49 µs, here it takes 6.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE publications (
    id TEXT PRIMARY KEY, alias TEXT, key TEXT NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL,
    shared TEXT NOT NULL, plan TEXT NOT NULL, note TEXT NOT NULL, attempt TEXT NOT NULL
  );
  CREATE UNIQUE INDEX publications_alias ON publications (alias) WHERE alias IS NOT NULL;

  CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, base INTEGER NOT NULL DEFAULT 1);

  CREATE TABLE entries (
    id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
    unread INTEGER NOT NULL, own TEXT NOT NULL, publication TEXT
  );
  CREATE UNIQUE INDEX entries_seq ON entries (stream, seq);
  CREATE UNIQUE INDEX entries_key ON entries (key, stream);

  CREATE TABLE marks (
    stream TEXT NOT NULL, seq INTEGER NOT NULL, read_seq INTEGER NOT NULL, read_at INTEGER, archived_at INTEGER, rescinded TEXT,
    PRIMARY KEY (stream, seq)
  ) WITHOUT ROWID;
  CREATE INDEX marks_archived ON marks (stream, seq) WHERE archived_at IS NOT NULL;
  CREATE INDEX marks_unread ON marks (stream, seq) WHERE read_seq > 0 AND read_at IS NULL;

  CREATE TABLE inbox_states (stream TEXT PRIMARY KEY, read_all TEXT NOT NULL, seen_up_to INTEGER NOT NULL) WITHOUT ROWID;

  CREATE TABLE device_cursors (
    user TEXT NOT NULL, device TEXT NOT NULL, stream TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (user, device, stream)
  ) WITHOUT ROWID;

  CREATE TABLE usernames (username TEXT PRIMARY KEY, user TEXT NOT NULL, name TEXT, avatar TEXT) WITHOUT ROWID;

  CREATE TABLE posts (topic TEXT NOT NULL, number INTEGER NOT NULL, author TEXT NOT NULL, PRIMARY KEY (topic, number)) WITHOUT ROWID;

  CREATE TABLE burials (
    subject TEXT PRIMARY KEY, why TEXT NOT NULL, at INTEGER NOT NULL, learned_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX burials_learned ON burials (learned_at);
  `,
  `
  CREATE TABLE members (
    user TEXT PRIMARY KEY, name TEXT, roles TEXT NOT NULL, joined_at INTEGER NOT NULL, mute TEXT, ban TEXT
  ) WITHOUT ROWID;

  CREATE TABLE preferences (
    version INTEGER PRIMARY KEY AUTOINCREMENT, user TEXT NOT NULL, place TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL,
    until INTEGER
  );
  CREATE UNIQUE INDEX preferences_place ON preferences (user, place, id);

  CREATE TABLE announcements (
    id TEXT PRIMARY KEY, revision INTEGER NOT NULL, state TEXT NOT NULL, announcement TEXT NOT NULL, created_at INTEGER NOT NULL,
    starts_at INTEGER, expires_at INTEGER, ended_at INTEGER, why TEXT, seq INTEGER
  );
  CREATE INDEX announcements_created ON announcements (created_at, id);
  CREATE INDEX announcements_current ON announcements (created_at, id) WHERE state IN ('scheduled', 'live');

  CREATE TABLE settled (
    announcement TEXT NOT NULL, user TEXT NOT NULL, dismissed_at INTEGER, acknowledged_at INTEGER, PRIMARY KEY (announcement, user)
  ) WITHOUT ROWID;

  CREATE TABLE watermarks (
    user TEXT NOT NULL, mark TEXT NOT NULL, up_to INTEGER NOT NULL, at INTEGER NOT NULL, older_count INTEGER NOT NULL DEFAULT 0,
    older TEXT NOT NULL DEFAULT '', UNIQUE (user, mark)
  );

  CREATE TABLE tasks (
    id TEXT PRIMARY KEY, user TEXT NOT NULL, state TEXT NOT NULL, said TEXT NOT NULL, at INTEGER NOT NULL
  );
  CREATE INDEX tasks_running ON tasks (user, at) WHERE state = 'running';
  CREATE INDEX tasks_at ON tasks (at);

  CREATE TABLE topics (
    topic TEXT PRIMARY KEY, seq INTEGER NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL, access TEXT NOT NULL
  );
  `,
  `
  CREATE TABLE activity (at INTEGER NOT NULL, process TEXT NOT NULL, said TEXT NOT NULL, PRIMARY KEY (at, process)) WITHOUT ROWID;
  `,
  `
  CREATE TABLE push_keys (id INTEGER PRIMARY KEY CHECK (id = 1), public_key TEXT NOT NULL, private_key TEXT NOT NULL);

  CREATE TABLE push_devices (
    id TEXT PRIMARY KEY, user TEXT NOT NULL, endpoint TEXT NOT NULL, p256dh TEXT NOT NULL, auth TEXT NOT NULL, created_at INTEGER NOT NULL,
    user_agent TEXT, cursor INTEGER NOT NULL, failures INTEGER NOT NULL, retry_at INTEGER NOT NULL
  );
  CREATE INDEX push_devices_user ON push_devices (user, created_at);
  `,
];
