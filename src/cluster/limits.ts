/** The limits of what nodes say to each other; each names the threat that it meets. docs/OPERATIONS.md lists them for operators. */

/** How often a node says that it is there. Threat: nodes that are gone and are still sent hints. Milliseconds. */
export const BEAT_MS = 500;

/** How old a node's newest own beat may be that has come back to it. Threat: a Redis that is silently away. Milliseconds. */
export const DOWN_AFTER_MS = 1_500;

/** How fast a beat must come back before Redis counts as working again. Threat: a slow Redis that is up and down in turns. Milliseconds. */
export const UP_WITHIN_MS = 750;

/** How long beats may stay away, or connections be tried, before they are made anew. Threat: half-open connections. Milliseconds. */
export const RENEW_AFTER_MS = 4_000;

/** How often sessions look at the store while Redis is away. Threat: members who wait for what another node has stored. Milliseconds. */
export const LOOK_MS = 1_000;

/** Silence after which a node's members no longer count as there. Threat: a killed node's members, who are elsewhere by then. Milliseconds. */
export const PEER_GONE_MS = 5_000;

/**
 * How often sessions look at the store while another node is silent or says that its messages are late: it may be alive, store entries, and
 * be the only one cut off from Redis. Threat: entries that wait for the next look of their session. Milliseconds.
 */
export const LOOK_FOR_MISSING_MS = 2_000;

/** How long a node without a farewell may be alive and cut off. Threat: looking at the store for ever for a node that was killed. Milliseconds. */
export const MISSING_MS = 60_000;

/** Time between two own beats that is this process's own standstill. Threat: a pause here that is taken for silence there. Milliseconds. */
export const STANDSTILL_MS = 1_000;

/** Least time between two doubts about all sessions, and about some. Threat: losses in a row, each a look at the store. Milliseconds. */
export const ALL_DOUBT_GAP_MS = 500;
export const DOUBT_GAP_MS = 100;

/** How far before a member's arrival a doubt about it reaches. Threat: a session whose start was noted just before. Milliseconds. */
export const SINCE_MARGIN_MS = 1_000;

/** Other nodes that are known at once; more of them are not sent hints. Threat: memory, where beats are forged. */
export const MAX_PEERS = 256;

/** Characters of one message. Threat: memory and a held event loop; the largest honest one has half of that. */
export const MAX_MESSAGE_CHARS = 1_048_576;

/** Characters of a node's name and its version. Threat: log lines of any length. */
export const MAX_LABEL_LENGTH = 256;

/** How often rubbish is mentioned in the log. Threat: a log filled by another process. Milliseconds. */
export const RUBBISH_LOG_MS = 60_000;

/** Difference of two nodes' clocks that is mentioned. Threat: times in entries that jump back and forth. Milliseconds. */
export const CLOCK_SKEW_MS = 5_000;

/** How long members' coming and going is collected before other nodes are told. Threat: a message for each, in a wave. Milliseconds. */
export const ROSTER_FLUSH_MS = 20;

/** Members named in one message, and their characters. Threat: a message that is too long to be taken. */
export const ROSTER_PART_USERS = 5_000;
export const ROSTER_PART_CHARS = 300_000;

/** Members of one other node. Threat: memory; a node has at most 50,000 sessions by itself. */
export const MAX_ROSTER_USERS = 250_000;

/** Messages that make one roster. Threat: memory, for one that is never complete. */
export const MAX_ROSTER_PARTS = 4_096;

/** How long the next part of a roster may take. Threat: memory, as above. Milliseconds. */
export const ROSTER_PATIENCE_MS = 2_000;

/** How often a node tells its whole roster, and asks another for its own. Threat: nodes that keep each other busy. Milliseconds. */
export const ROSTER_EVERY_MS = 1_000;

/** Changes of a roster that wait for those before them. Threat: memory; the whole roster is asked for meanwhile. */
export const MAX_WAITING_MOVES = 64;

/** Changes of the own roster that are watched until all nodes know them; beyond, the newest are watched as one. Threat: memory. */
export const MAX_UNCONFIRMED = 64;

/** Characters of one message of entries, about. Threat: a message that holds up those behind it. */
export const HINT_CHARS = 262_144;

/** Characters of a stream's name, of a publication's, and of an origin's parts. Threat: memory, where messages are forged. */
export const MAX_HINT_NAME_LENGTH = 512;
