import type { Acquaintances, Fate, InboxWriter, Preferences, Publisher } from "../../src/community/index.js";
import type { Burial, DirectoryStore, KnownMember, KnownPost, SubjectStore } from "../../src/community/types.js";
import type { PublicationRecord } from "../../src/stream/types.js";

/** Publications in memory, by the rules of the port. `log` is every entry that was stored, in order of the calls. */
export class MemoryPublisher implements Publisher {
  readonly log: Array<{ stream: string; key: string; own: string; shared: string }> = [];
  /** Stands in for trimming: these streams keep nothing. */
  readonly forgotten = new Set<string>();
  /** Every port that shares this array writes its calls there, in order. */
  readonly calls: string[];
  readonly #records = new Map<string, PublicationRecord>();
  readonly #entries = new Map<string, Map<string, { seq: number; publication: string }>>();

  constructor(calls: string[] = []) {
    this.calls = calls;
  }

  async publish(request: Parameters<Publisher["publish"]>[0]): ReturnType<Publisher["publish"]> {
    const first = this.#records.get(request.id) ?? this.#records.get(request.alias ?? request.id);
    const record = first ?? { ...request, at: 0, attempt: "only" };
    this.#records.set(record.id, record);
    if (record.alias !== null) this.#records.set(record.alias, record);
    const results = record.plan.map(({ stream, own }) => {
      const entries = this.#entries.get(stream) ?? new Map<string, { seq: number; publication: string }>();
      this.#entries.set(stream, entries);
      const entry = entries.get(record.key) ?? { seq: entries.size + 1, publication: record.id };
      if (!entries.has(record.key)) this.log.push({ stream, key: record.key, own, shared: record.shared });
      entries.set(record.key, entry);
      return { stream, seq: this.forgotten.has(stream) ? null : entry.seq, mine: entry.publication === record.id };
    });
    // Answers come late, as a store's do: only the order of the calls may decide the order of the entries.
    await new Promise((resolve) => setImmediate(resolve));
    this.calls.push(`stored ${request.id}`);
    return { duplicate: first !== undefined, record, results };
  }

  async publication(name: string): Promise<PublicationRecord | null> {
    return this.#records.get(name) ?? null;
  }

  async find(key: string): Promise<Array<{ stream: string; seq: number }>> {
    const found = [...this.#entries].map(([stream, entries]) => ({ stream, seq: entries.get(key)?.seq }));
    return found.filter((one): one is { stream: string; seq: number } => one.seq !== undefined && !this.forgotten.has(one.stream));
  }
}

/** Names streams and notes what it is asked to take back; `failures` makes the next calls fail. */
export class MemoryInbox implements InboxWriter {
  failures = 0;
  readonly calls: string[];

  constructor(calls: string[] = []) {
    this.calls = calls;
  }

  streamOf(user: string): string {
    return `inbox:${user}`;
  }

  userOf(stream: string): string {
    return stream.slice("inbox:".length);
  }

  notificationId(stream: string, seq: number): string {
    return `${stream}#${seq}`;
  }

  async rescind(key: string, by: string, why: string): Promise<void> {
    this.#called(`rescind ${key} by ${eventOf(by)}: ${why}`);
  }

  async restore(key: string, by: string): Promise<void> {
    this.#called(`restore ${key} by ${eventOf(by)}`);
  }

  /** The test of the inbox tells what becomes of notifications; to this one nothing ever happens. */
  async fate(): Promise<Fate | null> {
    return null;
  }

  #called(what: string): void {
    this.calls.push(what);
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("the inbox is away");
    }
  }
}

/** The event of an act: the name without the random part, which makes every act another. */
function eventOf(by: string): string {
  return by.replace(/:[0-9a-f-]{36}$/, "");
}

/** Burials in memory. `lookUps` is what each call asked for; an answer takes a turn of the event loop, as a store's does. */
export class MemorySubjects implements SubjectStore {
  readonly lookUps: string[][] = [];
  /** Makes the next look-ups fail. */
  failures = 0;
  readonly calls: string[];
  readonly #burials = new Map<string, Burial>();

  constructor(calls: string[] = []) {
    this.calls = calls;
  }

  async bury(key: string, burial: Burial): Promise<void> {
    this.calls.push(`bury ${key}: ${burial.why}`);
    this.#burials.set(key, burial);
  }

  async revive(key: string): Promise<void> {
    this.calls.push(`revive ${key}`);
    this.#burials.delete(key);
  }

  mayBeGone(): boolean {
    return true;
  }

  async buried(keys: string[]): Promise<Map<string, Burial>> {
    this.lookUps.push(keys);
    const fails = this.failures > 0;
    if (fails) this.failures -= 1;
    const found = keys.map((key) => [key, this.#burials.get(key)] as const);
    await new Promise((resolve) => setImmediate(resolve));
    if (fails) throw new Error("the burials are away");
    return new Map(found.filter((pair): pair is readonly [string, Burial] => pair[1] !== undefined));
  }

  async forget(olderThan: number, limit: number): Promise<number> {
    const old = [...this.#burials].filter(([, { learnedAt }]) => learnedAt < olderThan).slice(0, limit);
    for (const [key] of old) this.#burials.delete(key);
    return old.length;
  }
}

type Level = ReturnType<Preferences["levelFor"]>;

/**
 * What members want, wherever it is: one level for each who has set one. `refreshes` counts the questions; while `shared`, each takes a turn
 * of the event loop and only then `incoming` is known.
 */
export class MemoryPreferences implements Preferences {
  readonly levels = new Map<string, Level>();
  readonly blocked = new Map<string, string>();
  shared = false;
  refreshes = 0;
  incoming: Array<[user: string, level: Level]> = [];

  refresh(): Promise<void> | null {
    this.refreshes += 1;
    if (!this.shared) return null;
    return new Promise((resolve) => {
      setImmediate(() => {
        for (const [user, level] of this.incoming) this.levels.set(user, level);
        resolve();
      });
    });
  }

  levelFor(user: string): Level {
    return this.levels.get(user) ?? { level: "normal", scope: null, id: "" };
  }

  watchers(): string[] {
    return [...this.levels].filter(([, { level }]) => level === "watching").map(([user]) => user);
  }

  mostWatchers(): number {
    return this.watchers().length;
  }

  blocks(user: string, other: string): boolean {
    return this.blocked.get(user) === other;
  }
}

/** Everybody who was heard of, with the time of the last call that named them. */
export class MemoryAcquaintances implements Acquaintances {
  readonly heard = new Map<string, number>();

  heardOf(users: Iterable<string>, at: number): void {
    for (const user of users) this.heard.set(user, at);
  }
}

export class MemoryDirectory implements DirectoryStore {
  readonly members = new Map<string, KnownMember>();
  readonly #posts = new Map<string, string>();

  async learn(members: KnownMember[], posts: KnownPost[]): Promise<void> {
    for (const member of members) this.members.set(member.username.toLowerCase(), member);
    for (const { topic, number, author } of posts) this.#posts.set(`${topic}/${number}`, author);
  }

  async membersByUsername(usernames: string[]): Promise<Map<string, string>> {
    const known = usernames.map((name) => [name, this.members.get(name)?.id] as const);
    return new Map(known.filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
  }

  async postAuthors(topic: string, numbers: number[]): Promise<Map<number, string>> {
    const known = numbers.map((number) => [number, this.#posts.get(`${topic}/${number}`)] as const);
    return new Map(known.filter((pair): pair is readonly [number, string] => pair[1] !== undefined));
  }
}
