/** What the room tells about its work, for metrics. All of it is called often and must be cheap. */
export interface ClusterObserver {
  /** A message was given to Redis (`out`), or came from another node and was taken (`in`). `kind` is one of a fixed few. */
  message(direction: "in" | "out", kind: string): void;
  /** Something came that is no message, has a wrong shape, or comes from a node that speaks another version. */
  rubbish(): void;
  /** A node's numbers show that messages of it were lost. */
  gap(): void;
  /** Whether this node hears itself through Redis; told when it changes, and at the start. */
  state(isUp: boolean): void;
  /** How many other nodes are known; told twice a second. */
  peers(count: number): void;
  /** The largest difference between this node's clock and another's, in seconds; told twice a second. */
  skew(seconds: number): void;
  /** A message was not sent: there is no connection to Redis, too much waits for it, or the message is too long. */
  dropped(): void;
}
