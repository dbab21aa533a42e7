/** The limits of calls to MongoDB; each names the threat that it meets. docs/OPERATIONS.md lists them for operators. */

/**
 * How long one call may take, on the server and until a server is found. Threat: requests that pile up behind a store that hangs. Shorter
 * than the core's own deadline, so that a write whose outcome is unknown can still be read back. Milliseconds.
 */
export const CALL_DEADLINE_MS = 5_000;

/**
 * How long an append is tried again while there is no primary and nothing of it was stored. Threat: an election that fails every request.
 * The core gives up on its callers after as long. Milliseconds.
 */
export const ELECTION_MS = 10_000;

/** The pause before a call that met an election is made again. Threat: a busy loop. Milliseconds. */
export const ELECTION_PAUSE_MS = 100;

/**
 * How long the driver may take to say anything of a call, and of a piece of upkeep that makes many. Threat: a call that never ends. The driver
 * (7.8.0) waits for ever for a socket to drain that was reset before it wrote more than fits; one such insert stops all writes of a node.
 * Longer than what the server and the socket are given; what is unknown then is read back. Milliseconds.
 */
export const UNANSWERED_MS = CALL_DEADLINE_MS + 2_000;
export const UPKEEP_UNANSWERED_MS = 60_000;
