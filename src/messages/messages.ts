import { hash } from "node:crypto";
import { z } from "zod";
import { checked, data, id, MAX_ID_LENGTH, MAX_TEXT_LENGTH } from "../checked.js";
import type { DirectNotification, EventAnswer } from "../community/types.js";
import { BelfryError } from "../errors.js";
import { type Members, refuseBanned, refuseMuted } from "../members/index.js";
import { RateLimits } from "../rate-limit.js";

/** Messages of one sender. Threat: a member who writes to every other, or to one without end. */
const SEND_BURST = 100;
const SENDS_A_SECOND = 2;

/** Senders whose messages are counted. Threat: memory. Those beyond have not sent for longest, so their count is the least worth. */
const MAX_SENDERS = 20_000;

const message = z.object({
  to: id,
  text: z.string().min(1).max(MAX_TEXT_LENGTH),
  data: data.nullish(),
  key: id.nullish(),
});

/** Who sends, as their token says. */
export interface Sender {
  user: string;
  name: string | null;
}

/** What messages need of the rooms around them. */
export interface MessagesOptions {
  /** Tells the receiver; the same key again stores nothing and answers as the first time. */
  notify: (notification: DirectNotification, namespace: "message") => Promise<EventAnswer>;
  members: Pick<Members, "find" | "require">;
  preferences: {
    /** Whether `user` blocks `other`, as of the last refresh. */
    blocks(user: string, other: string): boolean;
    /** Null where what is known is current. */
    refresh(): Promise<void> | null;
  };
  clock?: () => number;
}

/** Messages from member to member: notifications of the type `message`. Whether the receiver is there does not matter. */
export class Messages {
  readonly #options: MessagesOptions;
  readonly #clock: () => number;
  readonly #limits = new RateLimits({ burst: SEND_BURST, perSecond: SENDS_A_SECOND, maxKeys: MAX_SENDERS });

  constructor(options: MessagesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? Date.now;
  }

  /**
   * Sends `{ to, text, data?, key? }`; the sender is who they are, whatever the payload says. Resolves with the notification's id once it is
   * stored. `key` makes a repeat safe: it stores nothing and gets the first one's id.
   * @throws BelfryError `rate_limited`, `bad_request`, `banned`, `muted`, `not_found`, `forbidden` where the receiver blocks the sender;
   *   `unavailable`.
   */
  async send(sender: Sender, payload: unknown): Promise<{ id: string }> {
    const retryAfterMs = this.#limits.take(sender.user, this.#clock());
    if (retryAfterMs > 0) throw new BelfryError("rate_limited", `Too many messages; wait ${retryAfterMs} ms.`, { retryAfterMs });
    const given = checked(message, payload, "The message");
    if (given.to === sender.user) throw new BelfryError("bad_request", "A message goes to another member; this one is to its sender.");
    await this.#refuseSilenced(sender.user);
    await this.#options.members.require(given.to);
    await this.#refuseBlocked(sender.user, given.to);

    const notification: DirectNotification = {
      to: [given.to],
      type: "message",
      actor: sender.name === null ? { id: sender.user } : { id: sender.user, name: sender.name },
      text: given.text,
    };
    if (given.data != null) notification.data = given.data;
    if (given.key != null) notification.key = keyOf(sender.user, given.key);
    return this.#deliver(notification, given.to);
  }

  async #refuseSilenced(user: string): Promise<void> {
    const member = await this.#options.members.find(user);
    if (member === null) return;
    const now = this.#clock();
    refuseBanned(member, now);
    refuseMuted(member, now);
  }

  async #refuseBlocked(user: string, to: string): Promise<void> {
    const { preferences } = this.#options;
    const refreshed = preferences.refresh();
    if (refreshed !== null) await refreshed;
    if (preferences.blocks(to, user)) throw new BelfryError("forbidden", "This member has blocked you and takes no messages from you.");
  }

  async #deliver(notification: DirectNotification, to: string): Promise<{ id: string }> {
    const [told] = (await this.#options.notify(notification, "message")).notified;
    if (told === undefined) throw new BelfryError("not_found", "This message was sent before, and the receiver's copy is no longer kept.");
    // The key's first message decides who has it.
    if (told.user !== to) throw new BelfryError("bad_request", "This key was used for a message to another member; choose a new one.");
    return { id: told.id };
  }
}

/**
 * A sender's key among those of all senders. One that would be too long for an id, or could be read as another sender's, is hashed; as no
 * sender is empty, nobody else's begins with the colon.
 */
function keyOf(sender: string, key: string): string {
  const name = `${sender}:${key}`;
  if (name.length <= MAX_ID_LENGTH && !sender.includes(":")) return name;
  return `:${hash("sha256", JSON.stringify([sender, key]), "base64url")}`;
}
