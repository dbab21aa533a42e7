import { BelfryError } from "../errors.js";
import { Acquaintances } from "./acquaintances.js";
import type { MemberRecord, MemberStore, Registration } from "./types.js";

/** Who somebody says they are when they come: a verified token's words. */
export interface Arrival {
  user: string;
  roles: string[];
  name: string | null;
}

export interface MembersOptions {
  store: MemberStore;
  /** Whether there is anything in a member's inbox. */
  wasTold: (user: string) => Promise<boolean>;
  clock?: () => number;
  onError: (error: unknown) => void;
}

/** Who is known to the service. Errors: `unavailable`. */
export class Members {
  readonly #store: MemberStore;
  readonly #clock: () => number;
  readonly #acquaintances: Acquaintances;
  readonly #wasTold: MembersOptions["wasTold"];

  constructor({ store, wasTold, clock = Date.now, onError }: MembersOptions) {
    this.#store = store;
    this.#wasTold = wasTold;
    this.#clock = clock;
    this.#acquaintances = new Acquaintances({ store, clock, onError });
  }

  /**
   * Makes a member known who comes with a token, or notes what it says now, and resolves with the member. Their sanctions are as they were
   * when this began; a banned one is not refused here. Where the store takes no writes, what is new is noted when they come again.
   */
  async arrive({ user, roles, name }: Arrival): Promise<MemberRecord> {
    const known = (await this.#store.find([user])).get(user);
    if (known !== undefined && (name ?? known.name) === known.name && areSame(roles, known.roles)) {
      this.#acquaintances.remember(user);
      return known;
    }
    const now = this.#clock();
    const at = Math.min(now, this.#acquaintances.waitingSince(user) ?? now);
    try {
      await this.#store.meet([name === null ? { user, at, roles } : { user, at, roles, name }]);
      this.#acquaintances.remember(user);
    } catch (error) {
      // A store that cannot write (a full disk) can still be read: whoever comes to read is noted later.
      if (!(error instanceof BelfryError) || error.code !== "unavailable") throw error;
      this.#acquaintances.hear([user], at);
    }
    if (known === undefined) return { user, name, roles, joinedAt: at, mute: null, ban: null };
    return { ...known, name: name ?? known.name, roles, joinedAt: Math.min(known.joinedAt, at) };
  }

  /** The member, also one who was only heard of, or null. */
  async find(user: string): Promise<MemberRecord | null> {
    await this.#acquaintances.settle(user);
    const known = (await this.#store.find([user])).get(user);
    if (known !== undefined) return known;
    // Whoever was told of something is known, though the node that was to write so has died, or is about to.
    if (!(await this.#wasTold(user))) return null;
    await this.#store.meet([{ user, at: this.#clock() }]);
    return (await this.#store.find([user])).get(user) ?? null;
  }

  /** The member. @throws BelfryError `not_found` */
  async require(user: string): Promise<MemberRecord> {
    const member = await this.find(user);
    if (member === null) throw new BelfryError("not_found", "No member with this id is known.");
    return member;
  }

  /** What these members are called; those of whom no name is known are left out. */
  async namesOf(users: string[]): Promise<Map<string, string>> {
    const known = await this.#store.find(users);
    return new Map([...known].flatMap(([user, { name }]): Array<[string, string]> => (name === null ? [] : [[user, name]])));
  }

  /** Somebody saw these members at `at` (ms). Cheap for those who are known; the others are written within a second. */
  heardOf(users: Iterable<string>, at: number): void {
    this.#acquaintances.hear(users, at);
  }

  /** What a server says of a member; resolves with the member as stored. */
  async register(registration: Registration): Promise<MemberRecord> {
    const { user } = registration;
    // First what was heard: written later it would move the registered time of joining.
    await this.#acquaintances.settle(user);
    const member = await this.#store.register(registration, this.#clock());
    this.#acquaintances.remember(user);
    return member;
  }

  /** Members in the order of their ids after `after`, at most `limit`. */
  page(after: string | null, limit: number): Promise<MemberRecord[]> {
    return this.#store.page(after, limit);
  }

  /** Writes what waits. */
  close(): Promise<void> {
    return this.#acquaintances.close();
  }
}

/** Both lists hold each role once. */
function areSame(roles: string[], others: string[]): boolean {
  return roles.length === others.length && roles.every((one) => others.includes(one));
}
