import { type Arrival, type Belfry, type ConnectOptions, connect, type Status, type Storage } from "../../client/sdk/src/index.js";
import { tokenFor, until } from "./member.js";
import type { Service } from "./service.js";

/** A device's storage, that outlives the stores that use it. */
export class MemoryStorage implements Storage {
  readonly texts = new Map<string, string>();
  getItem(key: string): string | null {
    return this.texts.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.texts.set(key, value);
  }
  removeItem(key: string): void {
    this.texts.delete(key);
  }
}

/** Stores of the SDK that are open, and what they have told. */
export class Stores {
  readonly #open: Belfry[] = [];

  /** Opens one for a member. `port`: of a proxy in front of the service. */
  open(service: Service, user: string, { port, ...options }: Partial<ConnectOptions> & { port?: number } = {}): Watched {
    const url = port === undefined ? service.url : `http://127.0.0.1:${port}`;
    const belfry = connect({ url, token: () => tokenFor(service.jwtSecret, { sub: user }), storage: null, ...options });
    this.#open.push(belfry);
    return new Watched(belfry);
  }

  close(): void {
    for (const belfry of this.#open) belfry.close();
    this.#open.length = 0;
  }
}

/** A store, with a memory of what it has told. */
export class Watched {
  readonly arrivals: Arrival[] = [];
  readonly statuses: Status[] = [];
  changes = 0;

  constructor(readonly belfry: Belfry) {
    belfry.onArrival((arrival) => this.arrivals.push(arrival));
    belfry.subscribe(() => {
      this.changes++;
      if (this.statuses.at(-1) !== belfry.status) this.statuses.push(belfry.status);
    });
  }

  get texts(): Array<string | null | undefined> {
    return this.belfry.notifications.map(({ text }) => text);
  }

  async synced(): Promise<this> {
    await until(
      () => `the store to be synced (${JSON.stringify(this.belfry.status)})`,
      () => this.belfry.status.synced,
    );
    return this;
  }

  async is(is: Status["is"], code?: string): Promise<Status> {
    await until(
      () => `the store to be ${is} ${code} (${JSON.stringify(this.belfry.status)})`,
      () => this.belfry.status.is === is && (code === undefined || this.belfry.status.code === code),
    );
    return this.belfry.status;
  }
}
