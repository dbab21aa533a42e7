/** What every kind of store gives to the program: the ports of the rooms, over one connection. */
import type { ActivityStore } from "../activity/types.js";
import type { AnnouncementChange, AnnouncementStore } from "../announcements/types.js";
import type { DirectoryStore, SubjectStore } from "../community/types.js";
import type { InboxChange, InboxStore } from "../inbox/types.js";
import type { LeaseStore } from "../lease/types.js";
import type { MemberChange, MemberStore } from "../members/types.js";
import type { PreferenceStore } from "../preferences/types.js";
import type { PushStore } from "../push/types.js";
import type { StreamStore } from "../stream/types.js";
import type { TaskStore } from "../tasks/types.js";
import type { TopicStore } from "../topics/types.js";

/** What may be stored with an entry in one transaction: the change of the room that made the entry. */
export type Companion = InboxChange | MemberChange | AnnouncementChange;

export interface Stores {
  readonly kind: "sqlite" | "mongodb";
  readonly streams: StreamStore<Companion>;
  readonly inbox: InboxStore;
  readonly directory: DirectoryStore;
  readonly subjects: SubjectStore;
  readonly members: MemberStore;
  readonly preferences: PreferenceStore;
  readonly announcements: AnnouncementStore;
  readonly tasks: TaskStore;
  readonly topics: TopicStore;
  readonly leases: LeaseStore;
  readonly push: PushStore;
  readonly activity: ActivityStore;
  /** Gives the history a new name, after a restore from a backup, and returns it: every cursor of the old epoch gets a reset. */
  renewEpoch(): Promise<string>;
  /** Gives the connection or the file back; writes must have ended before. Harmless when called again. */
  close(): Promise<void>;
}

/**
 * The store cannot be used as it is, and waiting does not help: not a replica set, a schema newer than the program, an address nobody
 * answers at. The message says what to do; the program prints it and ends.
 */
export class StoreRefused extends Error {
  override readonly name = "StoreRefused";
}
