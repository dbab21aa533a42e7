/**
 * The other nodes, as far as sockets need them: the port that the room `cluster` implements. A node that is alone has none (null). What is
 * told may be lost, late, doubled or out of order; what was lost is named in a doubt, and the store has it.
 */
export interface Nodes {
  /** Tells every other node that has a session of the member. */
  tellNodesOf(user: string, kind: string, data: unknown): void;
  /** Calls the listener with what other nodes tell; it throws on a wrong shape, which is then counted and ignored. Returns how to stop that. */
  on(kind: string, listener: (data: unknown) => void): () => void;
  /**
   * Calls the listener when something may have been lost: sessions that began at or after `since` (milliseconds since the Unix epoch; 0: all)
   * must look at the store. Returns how to stop that.
   */
  onDoubt(listener: (since: number) => void): () => void;
  /** Whether other nodes can be heard. */
  readonly isUp: boolean;
  /** Calls the listener when `isUp` has changed. Returns how to stop that. */
  onState(listener: (isUp: boolean) => void): () => void;
  /** Counts something that came from another node by Socket.IO's own way and cannot be understood. */
  rubbish(): void;
  /** What @socket.io/redis-adapter is made with. */
  adapter(): { pub: unknown; sub: unknown; key: string };
}
