import { createClient } from "redis";
import type { HostPort, RedisTarget } from "../../config/types.js";

/**
 * How long a server may take to accept a connection, to agree on TLS, to take the credentials and to answer the first commands, all together.
 * Threat: a server that accepts and never answers holds up the search for one that does. Milliseconds.
 */
const CONNECT_MS = 2_000;

/**
 * It is counted in so many parts, and one that comes late counts as one: a process that was held up itself has asked nobody in vain, and
 * would else drop every new connection before it looks at what has arrived on it.
 */
const CONNECT_PARTS = 10;

/**
 * Pings in a row that may be unanswered. Threat: a half-open connection, which accepts what is written for as long as the buffers of the
 * kernel last and brings nothing.
 */
const MAX_UNANSWERED_PINGS = 3;

const CLOSED = "the link is closed";

/** How a server is spoken to, whichever it is. */
export type Access = Pick<RedisTarget, "tls" | "username" | "password">;

/** Access without credentials. */
export const NOBODY = { username: null, password: null } as const;

/** What a server says of itself; empty where it does not say. */
export interface ServerFacts {
  /** `standalone`, `sentinel` or `cluster`. */
  mode: string;
  /** `master` or `replica`. */
  role: string;
}

/** `onEnd`: called once, with the first fault. */
export interface DialOptions {
  onEnd?: (reason: Error) => void;
  access?: Access;
}

type Heard = (message: Buffer, channel: Buffer) => void;

/** Where clients are made from: to make one from nothing is to build a class of all commands, 15 ms in which nothing else happens. */
let template: ReturnType<typeof createClient> | null = null;

function clientOf({ host, port }: HostPort, { tls, username, password }: Access, name: string) {
  // The client's own time-out is the longer one: it only lets go of a socket that was given up while it connected.
  const socket = { host, port, connectTimeout: 2 * CONNECT_MS, reconnectStrategy: false } as const;
  template ??= createClient();
  return template.duplicate({
    // A connection is used until its first fault. What follows one is decided in one place, the link, and not by a client of its own accord:
    // after a failover the right server is another one.
    socket: tls ? { ...socket, tls } : socket,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    name,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled",
    // Otherwise every command would set a timer, which would reject only what was not written yet.
    commandOptions: { timeout: 0 },
  });
}

/** Makes connections with the same credentials and knows those that are not closed. */
export class Dialer {
  readonly #access: Access;
  readonly #open = new Set<Connection>();
  #isClosed = false;

  constructor(access: Access) {
    this.#access = access;
  }

  get access(): Access {
    return this.#access;
  }

  /**
   * A connection that is yet to be opened.
   * @param name what the server lists it under.
   * @param access how the server is spoken to, where that is not as to others.
   */
  dial(server: HostPort, name: string, { onEnd = () => {}, access = this.#access }: DialOptions = {}): Connection {
    const connection = new Connection(server, access, name, onEnd);
    this.#open.add(connection);
    void connection.closed.then(() => this.#open.delete(connection));
    if (this.#isClosed) connection.end(new Error(CLOSED));
    return connection;
  }

  /** Ends all connections. Resolves when no socket is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#open];
    for (const connection of all) connection.end(new Error(CLOSED));
    await Promise.all(all.map(({ closed }) => closed));
  }
}

/** One connection to one server, from its opening to its first fault; it is not used again after that. */
export class Connection {
  readonly server: HostPort;
  /** Fulfilled when it has ended and no socket of it is left. */
  readonly closed: Promise<void>;
  readonly #client: ReturnType<typeof clientOf>;
  readonly #onEnd: (reason: Error) => void;
  /** Fulfilled when it ends. */
  readonly #ending: Promise<void>;
  #connecting: Promise<void> = Promise.resolve();
  #told: () => void = () => {};
  #reason: Error | null = null;
  #unanswered = 0;
  #opening: NodeJS.Timeout | undefined;

  constructor(server: HostPort, access: Access, name: string, onEnd: (reason: Error) => void) {
    this.server = server;
    this.#onEnd = onEnd;
    this.#ending = new Promise((resolve) => {
      this.#told = resolve;
    });
    this.closed = this.#ending.then(() => this.#connecting);
    this.#client = clientOf(server, access, name);
    this.#client.on("error", (error: Error) => this.end(error));
    this.#client.on("end", () => this.end(new Error("the connection was closed")));
    // A client that is destroyed while its socket connects goes on and would live as an open socket that nobody knows.
    this.#client.on("connect", () => {
      if (this.#reason !== null) this.#client.destroy();
    });
  }

  /** Connects and asks the server what it is. Ends by itself after `CONNECT_MS`, unless it is kept. @throws the first fault. */
  async open(): Promise<ServerFacts> {
    let parts = 0;
    this.#opening = setInterval(() => {
      if (++parts === CONNECT_PARTS) this.end(new Error(`no answer within ${CONNECT_MS} ms`));
    }, CONNECT_MS / CONNECT_PARTS);
    this.#connecting = this.#client.connect().then(
      () => {
        if (this.#reason !== null) this.#client.destroy();
      },
      (error: Error) => this.end(error),
    );
    await Promise.race([this.#connecting, this.#ending]);
    return factsOf(await this.command("HELLO"));
  }

  /** From now on it lives until its first fault. */
  keep(): void {
    clearInterval(this.#opening);
  }

  /** What the server answers. @throws the error it answers, or why the connection ended. */
  async command(...words: Array<string | Buffer>): Promise<unknown> {
    if (this.#reason !== null) throw this.#reason;
    try {
      return await this.#client.sendCommand(words);
    } catch (error) {
      throw this.#reason ?? error;
    }
  }

  /** Resolves when the server has confirmed all channels. @throws as `command` does. */
  async subscribe(channels: string[], listener: Heard): Promise<void> {
    if (this.#reason !== null) throw this.#reason;
    await this.#client.subscribe(channels, listener, true);
  }

  /** As `subscribe`, for a pattern. */
  async pSubscribe(pattern: string, listener: Heard): Promise<void> {
    if (this.#reason !== null) throw this.#reason;
    await this.#client.pSubscribe(pattern, listener, true);
  }

  /** Asks for a sign of life. Ends the connection where it has given none for several times; called at a steady rate. */
  ping(): void {
    if (this.#unanswered >= MAX_UNANSWERED_PINGS) {
      this.end(new Error("the server does not answer"));
      return;
    }
    // Counted by calls and not by the clock: after a pause of this process nothing was asked that could have been answered.
    this.#unanswered++;
    this.command("PING").then(
      () => {
        this.#unanswered = 0;
      },
      (error: Error) => this.end(error),
    );
  }

  /** Closes it at once. Commands under way are rejected with the reason. Harmless when called again. */
  end(reason: Error): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    clearInterval(this.#opening);
    this.#client.destroy();
    this.#told();
    this.#onEnd(reason);
  }
}

/** Reads the answer to HELLO, a map of names and values. */
function factsOf(answer: unknown): ServerFacts {
  const { mode, role } = (typeof answer === "object" && answer !== null ? answer : {}) as Record<string, unknown>;
  return { mode: typeof mode === "string" ? mode : "", role: typeof role === "string" ? role : "" };
}

/** What an error says; one that stands for several attempts (two addresses of one name) says nothing itself. */
export function reasonOf(error: unknown): string {
  const { message, errors } = (error ?? {}) as { message?: unknown; errors?: unknown };
  if (typeof message === "string" && message !== "") return message;
  return Array.isArray(errors) ? errors.map(reasonOf).join(", ") : String(error);
}
