import type { InboxWriter, Publisher } from "../../src/community/index.js";
import type { DirectoryStore, KnownMember, KnownPost } from "../../src/community/types.js";
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
    this.#called(`rescind ${key} by ${by}: ${why}`);
  }

  async restore(key: string, by: string): Promise<void> {
    this.#called(`restore ${key} by ${by}`);
  }

  #called(what: string): void {
    this.calls.push(what);
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("the inbox is away");
    }
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
