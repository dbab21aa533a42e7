import { rankOf } from "../auth/index.js";
import { BelfryError } from "../errors.js";
import { type MemberChange, type MemberRecord, type Members, standing } from "../members/index.js";
import { RateLimits } from "../rate-limit.js";
import type { StreamStore } from "../stream/types.js";
import { type Act, Audit, type AuditLog } from "./audit.js";
import { parseKick, parseLift, parseSanction, parseTarget, whyOf } from "./requests.js";
import type { Actor, AuditEntry, AuditPage, AuditQuery, Done, Laid } from "./types.js";

/** Acts of one member. Threat: a member without the role whose refused acts fill the audit log; each one above this is not even written. */
const ACT_BURST = 60;
const ACTS_A_SECOND = 5;

/** Members whose acts are counted. Threat: memory, when every member of a large forum tries. */
const MAX_ACTORS = 10_000;

/** What an act is called in the audit log, what it is about, and why it is done. */
export interface ActWords {
  act: string;
  target?: string;
  why?: string;
}

export interface ModerationOptions {
  log: AuditLog;
  streams: Pick<StreamStore, "read" | "readBack">;
  members: Pick<Members, "require">;
  clock?: () => number;
  onError: (error: unknown) => void;
}

/**
 * What moderators and servers do to members. An act and its entry of the audit log are one transaction; an act that is refused leaves an entry
 * that says why. Payloads are as they came. Errors of every act: `bad_request`, `forbidden`, `not_found`, `rate_limited`, `unavailable`.
 */
export class Moderation {
  readonly #members: Pick<Members, "require">;
  readonly #audit: Audit;
  readonly #clock: () => number;
  readonly #limits = new RateLimits({ burst: ACT_BURST, perSecond: ACTS_A_SECOND, maxKeys: MAX_ACTORS });

  constructor({ members, clock = Date.now, ...audit }: ModerationOptions) {
    this.#members = members;
    this.#clock = clock;
    this.#audit = new Audit(audit);
  }

  /** Begins to hear of acts, those of other nodes within a second. */
  start(): Promise<void> {
    return this.#audit.start();
  }

  stop(): Promise<void> {
    return this.#audit.stop();
  }

  /** The member may read and not send. `{ until?, why }`; one who is muted already is muted anew. */
  mute(actor: Actor, user: unknown, payload: unknown): Promise<Laid> {
    return this.#lay(actor, "mute", user, payload);
  }

  /** The member may not come in. `{ until?, why }`; one who is banned already is banned anew. */
  ban(actor: Actor, user: unknown, payload: unknown): Promise<Laid> {
    return this.#lay(actor, "ban", user, payload);
  }

  /** Ends a mute before its time. `{ why? }`. @throws BelfryError also `not_found` where there is none */
  unmute(actor: Actor, user: unknown, payload?: unknown): Promise<Done> {
    return this.#lift(actor, "mute", user, payload);
  }

  /** Ends a ban before its time. `{ why? }`. @throws BelfryError also `not_found` where there is none */
  unban(actor: Actor, user: unknown, payload?: unknown): Promise<Done> {
    return this.#lift(actor, "ban", user, payload);
  }

  /** Ends the member's sessions, wherever they are: whoever has them hears of it by `onAct`. `{ why }` */
  kick(actor: Actor, user: unknown, payload: unknown): Promise<Done> {
    return this.#onMember(actor, "kick", user, payload, async (target) => {
      const { why } = parseKick(payload);
      return this.#commit(actor, { act: "kick", target, why }, () => ({}));
    });
  }

  /**
   * An act of another room, held to the same rules. `work` calls `record` right before it stores anything, so that nothing is ever done
   * without an entry; what is left out of `record` is as in `words`. Where `work` refuses, that is written too.
   */
  guard<T>(actor: Actor, words: ActWords, work: (record: (target?: string, why?: string) => Promise<void>) => Promise<T>): Promise<T> {
    return this.#admitted(actor, words, () =>
      work((target, why) => {
        const act = actOf(actor, words);
        if (target !== undefined) act.target = target;
        if (why !== undefined) act.why = why;
        return this.#audit.append(act);
      }),
    );
  }

  /** A page of the audit log, newest first. @throws BelfryError `bad_request` where `before` is no id of an entry; `unavailable` */
  audit(query: AuditQuery): Promise<AuditPage> {
    return this.#audit.page(query);
  }

  /** The whole audit log as it is now, oldest first. */
  export(): AsyncIterable<AuditEntry> {
    return this.#audit.export();
  }

  /** Calls the listener with every act and every refused one, of all nodes, in order. Returns the way to stop it. */
  onAct(listener: (entry: AuditEntry) => void): () => void {
    return this.#audit.onAct(listener);
  }

  #lay(actor: Actor, act: "mute" | "ban", user: unknown, payload: unknown): Promise<Laid> {
    return this.#onMember(actor, act, user, payload, async (target) => {
      const { until, why } = parseSanction(payload, this.#clock());
      const end = until === null ? null : new Date(until).toISOString();
      const words = { act, target, why, ...(end === null ? {} : { until: end }) };
      const { at, by } = await this.#commit(actor, words, (_member, now) => ({ [act]: { until, why, by: actor.by, at: now } }));
      return { user: target, until: end, why, by, at };
    });
  }

  #lift(actor: Actor, what: "mute" | "ban", user: unknown, payload: unknown): Promise<Done> {
    const act = `un${what}`;
    return this.#onMember(actor, act, user, payload, async (target) => {
      const { why } = parseLift(payload);
      return this.#commit(actor, { act, target, ...(why === undefined ? {} : { why }) }, (member, now) => {
        if (standing(member[what], now) === null) throw new BelfryError("not_found", `This member has no ${what} that could be ended.`);
        return { [what]: null };
      });
    });
  }

  #onMember<T>(actor: Actor, act: string, user: unknown, payload: unknown, work: (target: string) => Promise<T>): Promise<T> {
    const words: ActWords = { act };
    // Kept as they came: what cannot be taken is for the log to leave out.
    if (typeof user === "string") words.target = user;
    const why = whyOf(payload);
    if (why !== undefined) words.why = why;
    return this.#admitted(actor, words, async () => {
      const target = parseTarget(user);
      if (target === actor.by && actor.rank !== "server") {
        throw new BelfryError("bad_request", "Nobody acts on themselves; name another member.");
      }
      return work(target);
    });
  }

  /** Does what an actor may do, as often as they may, and writes what is refused. What fails for lack of a store is not refused. */
  async #admitted<T>(actor: Actor, words: ActWords, work: () => Promise<T>): Promise<T> {
    this.#limit(actor);
    try {
      if (actor.rank === null) throw new BelfryError("forbidden", "Acts of moderation need the role moderator or admin.");
      return await work();
    } catch (error) {
      if (error instanceof BelfryError && !error.retry) {
        await this.#audit.append(actOf(actor, { ...words, refused: error.message }));
      }
      throw error;
    }
  }

  #limit({ by, rank }: Actor): void {
    const retryAfterMs = rank === "server" ? 0 : this.#limits.take(by, this.#clock());
    if (retryAfterMs > 0) throw new BelfryError("rate_limited", `Too many acts; wait ${retryAfterMs} ms.`, { retryAfterMs });
  }

  /** The member is read in the stream's turn, so of two acts at once the second sees what the first has done. */
  async #commit(
    actor: Actor,
    words: ActWords & { target: string; until?: string },
    changeOf: (member: MemberRecord, now: number) => Pick<MemberChange, "mute" | "ban">,
  ): Promise<Done> {
    const { target: user, why } = words;
    let at = 0;
    await this.#audit.transact(actOf(actor, words), async () => {
      const member = await this.#members.require(user);
      if (actor.rank === "moderator" && rankOf(member.roles) === "admin") {
        throw new BelfryError("forbidden", "A moderator cannot act on an admin.");
      }
      at = this.#clock();
      return { at, change: { of: "member", user, ...changeOf(member, at) } };
    });
    return { user, ...(why === undefined ? {} : { why }), by: actor.by, at: new Date(at).toISOString() };
  }
}

function actOf({ by, from }: Actor, words: Omit<Act, "by" | "from">): Act {
  return from === null ? { by, ...words } : { by, ...words, from };
}
