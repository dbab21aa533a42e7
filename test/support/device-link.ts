import { io, type Socket } from "socket.io-client";

/** How long a node may take to open a connection, and then to bring it up to date, before another is tried. Milliseconds. */
const OPEN_MS = 2_500;
const SETTLE_MS = 8_000;

/** How long an answer is waited for. Milliseconds. */
const ANSWER_MS = 4_000;

/** A link comes back after this and as much again at random: quicker than people's, so that runs are short. Milliseconds. */
const RETURN_MS = 50;

interface Farewell {
  code: string;
  reconnect: boolean;
  afterMs?: number;
}

interface Refusal {
  code: string;
  retry: boolean;
  retryAfterMs?: number;
}

/** What asking is answered. */
export type Answer = Record<string, unknown> & { ok: boolean; error?: { code: string; message: string } };

/** Where links can go, with the secret of their tokens. */
export interface Places {
  urls: readonly string[];
  secret: string;
}

export interface LinkOptions {
  places: Places;
  namespace: "/notifications" | "/live";
  /** The handshake of the next connection. */
  auth: () => object;
  random: () => number;
  /** Called with every event of the present connection. */
  onEvent: (event: string, payload: Record<string, unknown>) => void;
  /** Called when a connection is there, before anything comes over it. */
  onOpen?: () => void;
  /** Called when the present connection is gone. */
  onLost?: () => void;
  /** What may send this client away for good; anything else that does is a fault. */
  dismissedBy?: string;
}

/**
 * A client's connection to one of the nodes, that goes to another whenever it has lost its own, and does what farewells and refusals say.
 * Whoever uses it says by `settled` when a connection has brought what it should. It imports nothing of `src`.
 */
export class RoamingLink {
  /** What no right node says to a member whom nobody has sent away. */
  readonly faults: string[] = [];
  readonly farewells: string[] = [];
  readonly refusals: string[] = [];
  /** Connections that have settled, and when the last of them did. Milliseconds since 1970. */
  settledTimes = 0;
  lastSettledAt = 0;
  /** The longest time between two of them. Milliseconds. */
  longestGapMs = 0;
  /** Connections that were there and did not settle in time. */
  gaveUp = 0;
  readonly #options: LinkOptions;
  #socket: Socket | null = null;
  #timer: NodeJS.Timeout | null = null;
  #place = 0;
  #isSettled = false;
  #lostAt: number | null = null;
  #isWanted = false;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Whether it is there, or trying. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** The index of the node at which it is, or to which it goes. */
  get place(): number {
    return this.#place;
  }

  /** Connects, to this node or to any. */
  come(place?: number): void {
    if (this.#isWanted) return;
    const { places, random } = this.#options;
    this.#isWanted = true;
    this.#place = place ?? Math.floor(random() * places.urls.length);
    this.#connect();
  }

  leave(): void {
    this.#isWanted = false;
    this.#drop();
    this.#lostAt = null;
  }

  settled(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.settledTimes++;
    this.lastSettledAt = Date.now();
    if (this.#lostAt !== null) this.longestGapMs = Math.max(this.longestGapMs, this.lastSettledAt - this.#lostAt);
    this.#lostAt = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Asks once, with an acknowledgement. Null where there is no connection, or where it brought no answer. */
  async ask(event: string, payload: unknown): Promise<Answer | null> {
    const socket = this.#socket;
    if (socket?.connected !== true) return null;
    try {
      const answer = (await socket.timeout(ANSWER_MS).emitWithAck(event, payload)) as Answer;
      return this.#socket === socket ? answer : null;
    } catch {
      return null;
    }
  }

  #connect(): void {
    this.#drop();
    const { places, namespace, auth, onEvent, onOpen } = this.#options;
    const socket = io(`${places.urls[this.#place]}${namespace}`, {
      forceNew: true,
      transports: ["websocket"],
      reconnection: false,
      timeout: OPEN_MS,
      auth: auth(),
    });
    this.#socket = socket;
    // What a connection says that was left already is not heard.
    const present = (act: () => void): void => {
      if (this.#socket === socket) act();
    };
    socket.on("connect", () => present(() => onOpen?.()));
    socket.on("connect_error", (error) => present(() => this.#onRefused((error as Error & { data?: Refusal }).data)));
    socket.on("disconnect", () => present(() => this.#move()));
    socket.onAny((event: string, payload) =>
      present(() => {
        if (event === "goodbye") this.#onFarewell(payload as Farewell);
        else onEvent(event, payload as Record<string, unknown>);
      }),
    );
    // A connection that is opened and then says nothing is left; one that never opens is given up by the client itself.
    this.#timer = setTimeout(() => {
      this.gaveUp++;
      this.#move();
    }, SETTLE_MS);
  }

  /** Lets go of the connection, whatever state it is in. */
  #drop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#isSettled) this.#lostAt = Date.now();
    this.#isSettled = false;
    const socket = this.#socket;
    this.#socket = null;
    if (socket === null) return;
    socket.disconnect();
    this.#options.onLost?.();
  }

  /** To another node, after a while. */
  #move(afterMs = 0): void {
    this.#drop();
    if (!this.#isWanted) return;
    const { places, random } = this.#options;
    const { length } = places.urls;
    this.#place = length === 1 ? 0 : (this.#place + 1 + Math.floor(random() * (length - 1))) % length;
    const pause = afterMs + RETURN_MS * (1 + random());
    this.#timer = setTimeout(() => this.#connect(), pause);
  }

  #onRefused(refusal: Refusal | undefined): void {
    if (refusal !== undefined) this.refusals.push(refusal.code);
    if (refusal?.retry === false) this.#dismissed(refusal.code);
    this.#move(refusal?.retryAfterMs);
  }

  #onFarewell({ code, reconnect, afterMs }: Farewell): void {
    this.farewells.push(code);
    if (!reconnect) this.#dismissed(code);
    this.#move(afterMs);
  }

  #dismissed(code: string): void {
    if (code === this.#options.dismissedBy) this.#isWanted = false;
    else this.faults.push(`sent away for good: ${code}`);
  }
}
