import { type Places, RoamingLink } from "./device-link.js";
import { tokenFor } from "./member.js";

/** A join that was refused is tried again after this. Milliseconds. */
const JOIN_AGAIN_MS = 200;

/** A value of a topic, as it comes over the wire. */
interface Value {
  topic: string;
  seq: number;
  data: unknown;
}

/** A screen of `/live` that shows the newest value of each topic, on whichever node will have it. It imports nothing of `src`. */
export class RoamingBoard {
  readonly link: RoamingLink;
  /** The number of members online that came last; null before the first. */
  online: number | null = null;
  readonly #latest = new Map<string, Omit<Value, "topic">>();
  readonly #topics: string[];

  constructor(user: string, places: Places, random: () => number, topics: string[]) {
    this.#topics = topics;
    this.link = new RoamingLink({
      places,
      random,
      namespace: "/live",
      auth: () => ({ token: tokenFor(places.secret, { sub: user }) }),
      onOpen: () => void this.#join(),
      onEvent: (event, payload) => {
        if (event === "update") this.#show(payload as unknown as Value);
        else if (event === "online") this.online = payload.users as number;
      },
    });
  }

  /** What the screen shows of a topic; undefined before anything came. */
  shows(topic: string): unknown {
    return this.#latest.get(topic)?.data;
  }

  async #join(): Promise<void> {
    const answer = await this.link.ask("join", { topics: this.#topics });
    // Without an answer the connection is gone, or is given up: the next one joins.
    if (answer === null) return;
    if (!answer.ok) {
      setTimeout(() => void this.#join(), JOIN_AGAIN_MS);
      return;
    }
    for (const [topic, value] of Object.entries(answer.topics as Record<string, Value | null>)) {
      if (value !== null) this.#show({ ...value, topic });
    }
    this.link.settled();
  }

  #show({ topic, seq, data }: Value): void {
    if (seq > (this.#latest.get(topic)?.seq ?? 0)) this.#latest.set(topic, { seq, data });
  }
}
