import { BelfryError } from "../../src/errors.js";
import type { Acquaintance, MemberRecord, MemberStore, Registration } from "../../src/members/types.js";

/** Members in memory, by the rules of the port. `calls` names every call; `failures` makes the next writes fail. */
export class MemoryMembers implements MemberStore {
  readonly calls: string[] = [];
  readonly records = new Map<string, MemberRecord>();
  failures = 0;

  async find(users: string[]): Promise<Map<string, MemberRecord>> {
    this.calls.push(`find ${users.join(" ")}`);
    const found = users.map((user) => [user, this.records.get(user)] as const);
    return new Map(found.filter((pair): pair is readonly [string, MemberRecord] => pair[1] !== undefined));
  }

  async meet(members: Acquaintance[]): Promise<void> {
    this.calls.push(`meet ${members.map(({ user }) => user).join(" ")}`);
    await this.#turn();
    for (const { user, at, name, roles } of members) {
      const known = this.records.get(user) ?? { user, name: null, roles: [], joinedAt: at, mute: null, ban: null };
      const joinedAt = Math.min(known.joinedAt, at);
      this.records.set(user, { ...known, joinedAt, name: name ?? known.name, roles: roles ?? known.roles });
    }
  }

  async register(member: Registration, at: number): Promise<MemberRecord> {
    this.calls.push(`register ${member.user}`);
    await this.#turn();
    const known = this.records.get(member.user) ?? { name: null, roles: [], joinedAt: at, mute: null, ban: null };
    const record = { ...known, ...member };
    this.records.set(member.user, record);
    return record;
  }

  async page(after: string | null, limit: number): Promise<MemberRecord[]> {
    const users = [...this.records.keys()].sort().filter((user) => after === null || user > after);
    return users.slice(0, limit).map((user) => this.records.get(user) as MemberRecord);
  }

  /** A write takes a turn of the event loop, as a store's does. */
  async #turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.failures === 0) return;
    this.failures--;
    throw new BelfryError("unavailable", "the members are away");
  }
}
