import type { InboxStore } from "../inbox/index.js";
import type { StreamName } from "../inbox/requests.js";
import type { Cursor } from "../stream/index.js";
import { MAX_DEVICES } from "./limits.js";

type Save = Parameters<InboxStore["saveDeviceCursors"]>[0][number];

/** The cursors that devices acknowledged. What arrives in one turn of the event loop is stored in one transaction. */
export class DeviceCursors {
  readonly #store: InboxStore;
  #waiting: Array<{ save: Save; resolve: () => void; reject: (error: unknown) => void }> = [];

  constructor(store: InboxStore) {
    this.#store = store;
  }

  /** The device's cursors; empty for a device that is not known. */
  async load(user: string, device: string): Promise<Partial<Record<StreamName, Cursor>>> {
    return (await this.#store.deviceCursors(user, device)) ?? {};
  }

  /** Resolves when the cursor is durable. */
  save(user: string, device: string, stream: StreamName, { epoch, seq }: Cursor): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => void this.#flush());
      this.#waiting.push({ save: { user, device, stream, epoch, seq, at: Date.now() }, resolve, reject });
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      await this.#store.saveDeviceCursors(
        batch.map(({ save }) => save),
        MAX_DEVICES,
      );
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
