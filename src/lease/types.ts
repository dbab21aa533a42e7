/** What one node does for all, while it has the lease on it: the port of the room. */

/**
 * Who has which lease, for how long, by the clock of the store: nodes whose own clocks are minutes apart agree. Throws `unavailable` as
 * `StreamStore` does; nobody knows then whether the lease was taken.
 */
export interface LeaseStore {
  /**
   * Takes the lease, or keeps it, for `ttlMs` milliseconds from now on. Resolves, once that is durable, with true; with false while another
   * holder has it.
   */
  take(name: string, holder: string, ttlMs: number): Promise<boolean>;
  /** Gives the lease back where this holder has it. */
  release(name: string, holder: string): Promise<void>;
}
