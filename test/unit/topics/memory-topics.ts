import type { Access, TopicStore, TopicValue } from "../../../src/topics/index.js";

/** Topics in memory, whose next writes and reads can be held up. */
export class MemoryTopics implements TopicStore {
  readonly values = new Map<string, TopicValue>();
  writes = 0;
  /** Where set, what `count` answers. */
  counted: number | null = null;
  /** Awaited by each operation before it looks at the values. */
  before: (operation: "write" | "read") => Promise<void> = async () => {};

  async write(topic: string, data: string, access: Access | undefined, at: number): Promise<TopicValue> {
    this.writes++;
    await this.before("write");
    const last = this.values.get(topic);
    const value = { topic, seq: (last?.seq ?? 0) + 1, at, data, access: access ?? last?.access ?? "members" };
    this.values.set(topic, value);
    return value;
  }

  async read(topics: string[]): Promise<Map<string, TopicValue>> {
    await this.before("read");
    return new Map(topics.flatMap((topic) => (this.values.has(topic) ? [[topic, this.values.get(topic) as TopicValue]] : [])));
  }

  async count(): Promise<number> {
    return this.counted ?? this.values.size;
  }
}
