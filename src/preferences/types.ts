/** What members want to be told: watch levels and blocks. The words and the port of the room. Times are milliseconds. */

/** Where a level applies, nearest first: the nearest one that is set wins. */
export const SCOPES = ["thread", "tag", "category", "all"] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * `watching`: told of everything; `normal`: told of what concerns them; `muted`: told of nothing. `normal` is a setting too: in a muted
 * category it brings one thread back.
 */
export const LEVELS = ["watching", "normal", "muted"] as const;
export type Level = (typeof LEVELS)[number];

/** One level that a member has set. `id` is the thread's, tag's or category's, and empty for `all`. `until` null: for good. */
export interface LevelSetting {
  user: string;
  scope: Scope;
  id: string;
  level: Level;
  until: number | null;
}

/** Whether `user` blocks `other`. */
export interface BlockSetting {
  user: string;
  other: string;
  blocked: boolean;
}

/**
 * One change, as stored. Settings are never deleted, so whoever has all changes up to a version and reads those after it has them all.
 * `version` is that of the change; it grows with every change of the store.
 */
export type PreferenceChange =
  | ({ of: "level" } & LevelSetting & { version: number })
  | ({ of: "block" } & BlockSetting & { version: number });

/** The port of the room. Reads are of durable state. Throws `unavailable` as `StreamStore` does. */
export interface PreferenceStore {
  /**
   * True where nobody but this process writes to the store, so that what it has read and written stays all there is: then no event has to
   * ask for the version.
   */
  readonly exclusive: boolean;
  /** The version of the last change; 0 while there is none. */
  version(): Promise<number>;
  /** Changes after `version` in order of version, at most `limit`. Of several changes of one setting only the last is kept. */
  changesSince(version: number, limit: number): Promise<PreferenceChange[]>;
  /** Stores a level; resolves with the version of the change. */
  setLevel(setting: LevelSetting): Promise<number>;
  /** Stores a block or its end; resolves with the version of the change. */
  setBlock(setting: BlockSetting): Promise<number>;
}
