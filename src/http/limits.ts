/** Every bound on what HTTP takes in, with the threat it meets. docs/OPERATIONS.md lists them. */

/** Threat: memory and parse time of one request. Room for 1,000 events of 4 KiB. Bytes of the body of `POST /v1/events`. */
export const MAX_EVENTS_BYTES = 4 * 1024 * 1024;

/** Threat: the same. A Discourse post has at most 32,000 characters, which arrive raw and cooked. Bytes of a hook's body. */
export const MAX_HOOK_BYTES = 1024 * 1024;

/** Threat: the same. 1,000 recipients of 128 characters and a text. Bytes of the body of `POST /v1/notifications`. */
export const MAX_NOTIFICATION_BYTES = 256 * 1024;

/** Threat: the same, from members. 100 ids of 128 characters need a fifth. Bytes of the body of a `/v1/me` call. */
export const MAX_ME_BYTES = 64 * 1024;

/** Threat: the same. 1,000 users of 128 characters in the audience and a text. Bytes of the body of an announcement. */
export const MAX_ANNOUNCEMENT_BYTES = 256 * 1024;

/** Threat: the same. A reason of 500 characters, each escaped. Bytes of the body of an act of moderation. */
export const MAX_ACT_BYTES = 16 * 1024;

/** Threat: the same. A name and 32 roles. Bytes of the body of `PUT /v1/members/:id`. */
export const MAX_REGISTRATION_BYTES = 16 * 1024;

/** Threat: the same, a thousand times a second. A text of 4,000 characters, each escaped. Bytes of the body of `PUT /v1/tasks/:id`. */
export const MAX_TASK_BYTES = 32 * 1024;

/** Threat: the same. 64 KiB of data, and room for who may see it. Bytes of the body of `PUT /v1/topics/:name`. */
export const MAX_TOPIC_BYTES = 80 * 1024;

/** Threat: one request that occupies the store for long. Source: docs/PROTOCOL.md. */
export const MAX_EVENTS = 1_000;

/** Threat: nesting that overflows the stack of whatever walks it later. The deepest body of the protocol has 5 levels. */
export const MAX_JSON_DEPTH = 32;

/** Threat: an id in a header that fills the store's keys. */
export const MAX_HEADER_ID_LENGTH = 256;

/** Threat: connections kept open by sending headers a byte at a time (slowloris). Milliseconds. */
export const HEADERS_TIMEOUT_MS = 10_000;

/** Threat: the same with bodies. Milliseconds from the first byte of a request to its last. */
export const REQUEST_TIMEOUT_MS = 30_000;

/** Threat: connections kept open by a TLS handshake that never ends. Milliseconds. */
export const TLS_HANDSHAKE_MS = 10_000;

/** How often the limits on headers and bodies are enforced, in milliseconds. */
export const TIMEOUT_CHECK_MS = 2_000;

/**
 * Threat: connections that nobody uses any more. Longer than the 60 s of common balancers, so that this side does not close one under a
 * request. Milliseconds.
 */
export const KEEP_ALIVE_MS = 65_000;

/** Threat: memory of headers. Bytes. */
export const MAX_HEADER_BYTES = 16 * 1024;

/** Threat: a sender that goes on after it was refused. Milliseconds in which it may finish, so that it can read the answer. */
export const LINGER_MS = 2_000;

/**
 * Threat: requests and readers that never end, which keep a stopping process for ever. Milliseconds from the signal until their connections
 * are cut; what is left of the 20 s that a stop may take is for the store.
 */
export const DRAIN_MS = 15_000;

/** How often connections that have become idle are closed meanwhile. Milliseconds. */
export const DRAIN_SWEEP_MS = 50;

/** Threat: connections on which nothing is ever asked. Milliseconds that they get when the server takes no more. */
export const SILENT_MS = 1_000;

/**
 * Threat: a balancer that sends new members to a node which is about to leave. Milliseconds in which a stopping node goes on as before but
 * for `/ready`. Where nobody has asked for it within the second time, nobody is waited for.
 */
export const NOTICE_MS = 3_000;
export const READY_WATCHED_MS = 60_000;

/** Threat: readiness checks that pile up behind a store that hangs. Milliseconds. */
export const READY_TIMEOUT_MS = 2_000;

/** Calls with one member's token: so many at once, so many a second on average. Threat: a member who keeps the store busy. As on a socket. */
export const MEMBER_BURST = 200;
export const MEMBER_CALLS_A_SECOND = 50;

/** Members whose calls are counted at a time. Threat: memory. */
export const MAX_LIMITED_MEMBERS = 20_000;

/** Threat: one page that fills memory or a slow connection. Items of a list. */
export const MAX_PAGE = 100;

/** Items of a list whose caller sets no limit. */
export const DEFAULT_PAGE = 50;

/** Threat: a filter of any size. Characters of an act's name; the longest has 17. */
export const MAX_ACT_NAME_LENGTH = 64;

/** Threat: memory of an export, whatever its length. Characters that are put together before they are sent. */
export const DOWNLOAD_CHUNK = 16 * 1024;

/** Threat: exports that are begun and never read. Milliseconds in which nothing moves. */
export const DOWNLOAD_STALL_MS = 30_000;
