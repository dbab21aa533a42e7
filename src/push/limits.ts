/** The room's limits; each names the threat that it meets. docs/OPERATIONS.md lists them for operators. */

/** Devices of a member: the oldest goes. Threat: a client that invents endpoints, each of which is written to with every notification. */
export const MAX_DEVICES = 20;

/** Characters of a browser's name that are kept. Threat: a record that grows with a header. */
export const MAX_USER_AGENT_LENGTH = 200;

/** Bytes of a message before it is encrypted. Threat: push services refuse what is above 4 KiB with all that is around it (RFC 8030). */
export const MAX_PAYLOAD_BYTES = 3_072;

/** Characters of a title and of a text on a lock screen. Threat: messages above that size; nobody sees more there. */
export const MAX_TITLE_LENGTH = 100;
export const MAX_BODY_LENGTH = 240;

/**
 * How long nobody of a member may be there before they count as away. Threat: a push for what is on the screen half a second later, since a
 * page that is left for the next one has no connection meanwhile. Milliseconds.
 */
export const SETTLE_MS = 2_000;

/** The same after a start, when everybody comes back. Threat: a push to all who were connected, with every restart. Milliseconds. */
export const START_SETTLE_MS = 10_000;

/** What is older is not pushed, and no push service keeps it longer. Threat: yesterday's replies that ring in the morning. Milliseconds. */
export const MAX_AGE_MS = 24 * 3_600_000;

/** A time of an entry that is further ahead of this node's clock says nothing. Threat: a clock that was wrong holds a device up for hours. */
export const MAX_AHEAD_MS = 60_000;

/** Messages that a device is sent at one look, the newest. Threat: a phone that rings a hundred times after an outage. */
export const MAX_BURST = 10;

/** Entries read at once. Threat: a long stream that holds memory and the store. */
export const PAGE_ENTRIES = 100;

/** Looks at the store at once. Threat: an event told to thousands of devices' members, whose reads starve the sessions. */
export const LOOKS_AT_ONCE = 16;

/**
 * Messages under way: in all, and to one push service; of these, to all push services together that are not known to take any, and to one of
 * them. Threat: memory and sockets; a push service that hangs, and any number that members have made up to hang, hold up no other. Three that
 * took messages before and begin to hang can fill the room of the known ones once, for `SEND_MS`; then they are strangers again.
 */
export const SENDS_AT_ONCE = 64;
export const SENDS_TO_ONE = 16;
export const STRANGERS_AT_ONCE = 16;
export const STRANGERS_TO_ONE = 4;

/** Push services that are remembered to take messages. Threat: memory, where members name made-up ones. */
export const MAX_PROVEN = 1_000;

/**
 * How long a signature for a push service is used, of the 12 hours for which it holds, and for how many services one is kept. Threat:
 * 0.6 ms of the event loop for each message; memory, where members name made-up services. Milliseconds.
 */
export const SIGNATURE_MS = 3_600_000;
export const MAX_SIGNATURES = 1_000;

/** How long a push service may take. Threat: one that accepts and never answers. Milliseconds. */
export const SEND_MS = 10_000;

/**
 * How long a connection is kept that nothing is sent by, and how many TLS sessions are remembered for the next ones. Threat: sockets and
 * memory, where members name made-up services that keep every connection open. Milliseconds.
 */
export const IDLE_MS = 5_000;
export const MAX_TLS_SESSIONS = 100;

/** How long messages under way may take when the service stops; what is cut is sent again by the next. Milliseconds. */
export const LAST_SENDS_MS = 1_000;

/** Bytes of an answer that are read. Threat: memory; only the reason of a refusal is looked at. */
export const MAX_ANSWER_BYTES = 1_024;

/** First and longest pause after a failure, doubled with each, by a random factor. Threat: a push service in trouble, hammered by all. */
export const RETRY_MIN_MS = 5_000;
export const RETRY_MAX_MS = 3_600_000;

/** The longest that a push service may ask to wait. Threat: a device that is silent for ever by one answer. Milliseconds. */
export const RETRY_AFTER_MAX_MS = 24 * 3_600_000;

/** The least pause after a refusal. Threat: a fault of minutes at the push service that costs the device. Milliseconds. */
export const REFUSED_PAUSE_MS = 60_000;

/**
 * The pause, by a random factor, where a push service does not accept this service itself; and how many push services are told of in the log in
 * an hour, once each. Threat: one that is asked without end; a log that members fill by made-up services. Milliseconds.
 */
export const UNAUTHORIZED_PAUSE_MS = 600_000;
export const COMPLAINTS_MS = 3_600_000;
export const MAX_COMPLAINTS = 20;

/** A device goes after so many failures in a row of which the last was a refusal, or of any kind (about four days). Threat: dead ones. */
export const MAX_REFUSALS = 3;
export const MAX_FAILURES = 100;

/**
 * The least pause between two looks at all devices, and the most of the time that these may take. They find what this node was not told of.
 * Threat: a hundred thousand devices, looked at without end.
 */
export const SWEEP_MS = 5_000;
export const SWEEP_SHARE = 0.05;

/** How often a node sees whether it has come to be the one that pushes. Milliseconds. */
export const LEASE_LOOK_MS = 500;

/** Devices read at once in such a look. Threat: a read that holds the event loop. */
export const SWEEP_STEP = 500;

/** How long what has become of devices gathers before it is written. Threat: a write for each of a wave. Milliseconds. */
export const GATHER_MS = 100;

/** The pause after the store has failed. Milliseconds. */
export const STORE_RETRY_MS = 1_000;
