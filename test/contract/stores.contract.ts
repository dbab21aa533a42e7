import { afterAll, beforeAll, describe } from "@jest/globals";
import type { Stores } from "../../src/storage/types.js";
import { appendContract } from "./stores/append.js";
import { companionContract } from "./stores/companion.js";
import { directoryContract } from "./stores/directory.js";
import { inboxContract } from "./stores/inbox.js";
import { lifecycleContract } from "./stores/lifecycle.js";
import { publicationContract } from "./stores/publications.js";
import { readContract } from "./stores/read.js";
import { trimContract } from "./stores/trim.js";

/** A store of one kind for one test or one group of tests. */
export interface StoreUnderTest {
  stores: Stores;
  /** Another connection to the same data; what it opens is closed by `destroy`. */
  reopen(): Promise<Stores>;
  /** Makes the data look as if a later version of the program had written it. */
  pretendNewer(): Promise<void>;
  /** Closes everything and removes the data. */
  destroy(): Promise<void>;
}

export type OpenStore = () => Promise<StoreUnderTest>;

/** The promises that every kind of store keeps: run against each kind by a file of its own. */
export function storeContract(name: string, open: OpenStore): void {
  describe(`${name}: the promises of a store`, () => {
    let store: StoreUnderTest;
    beforeAll(async () => {
      store = await open();
    });
    afterAll(() => store.destroy());
    // The tests of these groups share one store, so each uses streams and names of its own.
    const stores = () => store.stores;
    appendContract(stores);
    publicationContract(stores);
    companionContract(stores);
    readContract(stores);
    trimContract(stores);
    inboxContract(stores);
    directoryContract(stores);
  });
  lifecycleContract(name, open);
}
