/** The core's limits; each names the threat that it meets. docs/OPERATIONS.md lists them for operators. */

/** Rows in one store transaction. Threat: a long transaction holds the event loop (SQLite: 13 µs a row measured) and delays heartbeats. */
export const MAX_BATCH_ROWS = 256;

/**
 * Rows of one batch where they are those of publications that travel with it: a publication is cut above that. Threat: a post told to ten
 * thousand watchers in one transaction, which held the event loop for up to a second.
 */
export const MAX_PUBLICATION_ROWS = 1_024;

/** Turns of the event loop for which a batch waits for more, as long as each brings some. Threat: a first caller who waits for all others. */
export const MAX_LINGER_TURNS = 8;

/** Appends that may wait for the store. Threat: memory, when events arrive faster than the store takes them. */
export const MAX_WAITING_ROWS = 100_000;

/** Streams whose tail is kept in memory. Threat: memory, with millions of members; a forgotten tail costs one read. */
export const MAX_LANES = 50_000;

/**
 * Appends to a stream, since another node was last seen to write to it, before which the store is asked for the very next entry. Threat: two
 * nodes that write to a stream in turns and refuse each other's rows: a refused row costs three round trips, a look 5 µs of the server's time.
 */
export const LOOKS_AFTER_OTHERS = 8;

/** How long an append may wait for the store. Threat: a request that never ends while the store is away. Milliseconds. */
export const APPEND_DEADLINE_MS = 10_000;

/** First and longest pause before a refused row or a failed read is tried again. Threat: a busy loop against a store in trouble. */
export const RETRY_MIN_MS = 5;
export const RETRY_MAX_MS = 250;

/**
 * How long a repeat of a key is recognised even where trimming took the entry: entries below the base stay on disk this long. Threat: a
 * forum that sends an event again after the member's stream was trimmed. Discourse gives up after hours; a week is ample. Milliseconds.
 */
export const IDEMPOTENCY_WINDOW_MS = 7 * 24 * 3_600_000;

/** How often a follower looks at the store for what other nodes have written: an act of moderation holds everywhere within a second. Milliseconds. */
export const FOLLOW_EVERY_MS = 1_000;
