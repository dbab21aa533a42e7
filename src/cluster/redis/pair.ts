import type { Connection, Dialer } from "./connection.js";
import { refusalOf } from "./refusals.js";
import type { ServerFinder, Servers } from "./servers.js";
import type { Kind, Subscriptions } from "./subscriptions.js";

/**
 * Messages that Redis has not confirmed. Threat: a Redis that reads slowly or not at all, and memory that grows with everything that is
 * published meanwhile.
 */
export const MAX_UNCONFIRMED_MESSAGES = 5_000;

/** Their size together. Threat: as above, with long messages. UTF-16 units or bytes. */
const MAX_UNCONFIRMED_SIZE = 16 * 1024 * 1024;

/** How often both servers are asked for a sign of life. Milliseconds. */
const PING_MS = 1_000;

/** How often it is asked whether other servers have taken their place. In pings. */
const PINGS_BETWEEN_CHECKS = 5;

/** How long a clean end waits for what was published before it. Milliseconds. */
const FLUSH_MS = 500;

/**
 * A channel and a pattern that every pair subscribes to, and publishes on once. Nobody has anything to say there: it shows at once whether
 * the user may do what is needed.
 */
const CHECK_CHANNEL = "belfry:check";
const CHECK_PATTERN = "belfry:check:*";

/** What a pair is made with. */
export interface PairOptions {
  dialer: Dialer;
  finder: ServerFinder;
  subscriptions: Subscriptions;
  /** Called whenever everything is subscribed: at first, and after each time that something was added. */
  onReady: () => void;
  /** Called once, when either connection has ended. */
  onEnd: (reason: Error) => void;
}

/**
 * Two connections that live and end together: one publishes, the other is subscribed to everything that is listened to. They end at the first
 * fault of either, so that whoever was told that they are ready is told again after every gap.
 */
export class Pair {
  readonly #options: PairOptions;
  readonly #asked: Record<Kind, Set<string>> = { channel: new Set(), pattern: new Set() };
  #publisher: Connection | null = null;
  #subscriber: Connection | null = null;
  #reason: Error | null = null;
  #isOpen = false;
  /** Subscriptions that Redis has not confirmed. */
  #subscribing = 0;
  #unconfirmed = 0;
  #unconfirmedSize = 0;
  #timer: NodeJS.Timeout | null = null;
  #pings = 0;

  constructor(options: PairOptions) {
    this.#options = options;
  }

  /** Whether messages can be published. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether everything is subscribed, too. */
  get isReady(): boolean {
    return this.#isOpen && this.#subscribing === 0;
  }

  /** Connects and begins to subscribe. @throws RedisRefused where waiting cannot help; anything else where it may. */
  async open(): Promise<void> {
    const { finder } = this.#options;
    const servers = await finder.find();
    this.#throwIfEnded();
    const publisher = this.#dial(servers.publisher, "belfry-publisher");
    const subscriber = this.#dial(servers.subscriber, "belfry-subscriber");
    this.#publisher = publisher;
    this.#subscriber = subscriber;
    try {
      for (const facts of await Promise.all([publisher.open(), subscriber.open()])) finder.check(facts);
      await Promise.all([
        publisher.command("PUBLISH", CHECK_CHANNEL, ""),
        subscriber.subscribe([CHECK_CHANNEL], () => {}),
        subscriber.pSubscribe(CHECK_PATTERN, () => {}),
      ]);
    } catch (error) {
      // The first fault of either connection tells more than what it did to the other.
      const fault = this.#reason ?? error;
      throw refusalOf(fault, servers.publisher) ?? fault;
    }
    this.#throwIfEnded();
    publisher.keep();
    subscriber.keep();
    this.#isOpen = true;
    this.#timer = setInterval(() => this.#watch(publisher, subscriber, servers), PING_MS);
    this.subscribe();
    if (this.isReady) this.#options.onReady();
  }

  /** Subscribes to what is listened to and was not asked for yet. */
  subscribe(): void {
    const subscriber = this.#subscriber;
    if (subscriber === null || !this.#isOpen) return;
    const { subscriptions } = this.#options;
    const channels = this.#news("channel");
    if (channels.length > 0) {
      this.#confirm(
        subscriber.subscribe(channels, (message, channel) => subscriptions.deliver("channel", channel.toString(), message, channel)),
      );
    }
    for (const pattern of this.#news("pattern")) {
      this.#confirm(subscriber.pSubscribe(pattern, (message, channel) => subscriptions.deliver("pattern", pattern, message, channel)));
    }
  }

  /** False where it was dropped. */
  publish(channel: string, message: string | Buffer): boolean {
    const publisher = this.#publisher;
    const size = message.length;
    if (publisher === null || !this.#isOpen) return false;
    if (this.#unconfirmed >= MAX_UNCONFIRMED_MESSAGES || this.#unconfirmedSize + size > MAX_UNCONFIRMED_SIZE) return false;
    this.#unconfirmed++;
    this.#unconfirmedSize += size;
    const done = (): void => {
      this.#unconfirmed--;
      this.#unconfirmedSize -= size;
    };
    // A message that Redis refuses is lost as one is that it never gets; who publishes learns neither.
    publisher.command("PUBLISH", channel, message).then(done, done);
    return true;
  }

  /** Waits until what was published has reached Redis, or for a moment. */
  async flush(): Promise<void> {
    if (this.#publisher === null || !this.#isOpen || this.#unconfirmed === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FLUSH_MS);
    });
    // Answers come in the order of commands, so this one comes after all others.
    await Promise.race([this.#publisher.command("PING").catch(() => {}), enough]);
    clearTimeout(timer);
  }

  /** Closes both connections. Harmless when called again. */
  end(reason: Error): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    this.#isOpen = false;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#publisher?.end(reason);
    this.#subscriber?.end(reason);
    this.#options.onEnd(reason);
  }

  #dial(server: Servers["publisher"], name: string): Connection {
    return this.#options.dialer.dial(server, name, { onEnd: (reason) => this.end(reason) });
  }

  #throwIfEnded(): void {
    if (this.#reason !== null) throw this.#reason;
  }

  /** Names that are listened to and were not asked for; they count as asked for from now on. */
  #news(kind: Kind): string[] {
    const news = this.#options.subscriptions.names(kind).filter((name) => !this.#asked[kind].has(name));
    for (const name of news) this.#asked[kind].add(name);
    return news;
  }

  #confirm(subscribed: Promise<void>): void {
    this.#subscribing++;
    subscribed.then(
      () => {
        this.#subscribing--;
        if (this.isReady) this.#options.onReady();
      },
      (error: Error) => this.end(error),
    );
  }

  #watch(publisher: Connection, subscriber: Connection, servers: Servers): void {
    publisher.ping();
    if (this.#isOpen) subscriber.ping();
    if (++this.#pings % PINGS_BETWEEN_CHECKS !== 0) return;
    this.#options.finder.moved(servers).then(
      (moved) => {
        if (moved) this.end(new Error("another server has become the master"));
      },
      // Who cannot be asked tells nothing; the servers themselves do answer.
      () => {},
    );
  }
}
