import type { Stores } from "../../../src/storage/types.js";

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
