/** The limits of connections; each names the threat that it meets. docs/OPERATIONS.md lists them for operators. */

/** Heartbeat: a ping every 15 s, an answer within 10 s. Threat: dead connections that look alive; they are noticed within 25 s. */
export const PING_INTERVAL_MS = 15_000;
export const PING_TIMEOUT_MS = 10_000;

/** Largest packet from a client. Threat: memory. The largest honest one, 100 ids of 128 characters, has 14 KB. */
export const MAX_PACKET_BYTES = 64 * 1024;

/** How long a connection may take to join a namespace. Threat: sockets held open by nobody. Longer than it may wait for its turn. */
export const JOIN_TIMEOUT_MS = 30_000;

/**
 * How often one connection may ask to join a namespace. Threats: answers that its sender does not read, and the cost of checking tokens. An
 * honest client asks once, and again only after a refusal.
 */
export const MAX_JOINS = 16;

/** Sessions of one member on one node, in each namespace. Threat: one member who fills the node. */
export const MAX_SESSIONS_PER_USER = 32;

/** Sessions of one node, in all namespaces. Threat: memory; an idle one costs about 20 KB (docs/PERFORMANCE.md). */
export const MAX_SESSIONS = 50_000;

/** How long a refused client is asked to wait when the node or its member has too many sessions. */
export const RETRY_CONNECT_MS = 5_000;

/** Client events: so many at once, so many a second on average. Threat: a client that keeps the store busy. */
export const REQUEST_BURST = 200;
export const REQUESTS_A_SECOND = 50;

/** Refused events after which a client that does not slow down is disconnected. Threat: the cost of refusing. */
export const MAX_REFUSED_REQUESTS = 2_000;

/** Packets and bytes, those of the last page or answer aside, that may wait for a reader before it is paged from the store at its own speed. Threat: memory. */
export const HIGH_WATER_PACKETS = 128;
export const HIGH_WATER_BYTES = 256 * 1024;

/** Bytes that may wait for a reader at all: answers to its own requests count here too. Threat: a client that asks and never reads. */
export const MAX_BUFFERED_BYTES = 2 * 1024 * 1024;

/** How long a reader may stand still at the high-water mark. Threat: sessions that hold buffers and never read. */
export const STALL_MS = 30_000;

/** How long a farewell may take to leave before the transport is cut. Threat: `disconnect` waits for a drain that never comes. */
export const FAREWELL_MS = 2_000;

/** How often a session looks at its streams' heads without being told to. A lost hint delays an entry by this much at most. */
export const HEAD_CHECK_MS = 30_000;

/** How often sessions are looked over for expired tokens, stalls and due head checks. */
export const SWEEP_MS = 1_000;

/** Entries of one page. docs/PROTOCOL.md, `entries`. */
export const PAGE_ENTRIES = 100;

/** Snapshots taken until one fits what was sent meanwhile. Threat: a member who settles announcements without pause. */
export const SNAPSHOT_TRIES = 3;

/** Guests on `/live` on one node. Threat: connections that no token bounds, which leave members no place. */
export const MAX_GUESTS = 10_000;

/** How long a ban is remembered for sessions that were being admitted meanwhile. Longer than a handshake can take. Milliseconds. */
export const BAN_MEMORY_MS = 60_000;

/** Bans remembered so. Threat: memory, where many are banned at once; the handshake knows those that are dropped from the store. */
export const MAX_REMEMBERED_BANS = 10_000;

/** Devices of one member whose cursors are kept. Threat: a client that invents devices. */
export const MAX_DEVICES = 20;

/**
 * A stopping node tells its connections one after the other, with so much time for each, but for all at most the second. Threat: all at once
 * on the next node, whatever clients make of `afterMs`. Milliseconds.
 */
export const DRAIN_EACH_MS = 4;
export const DRAIN_SPREAD_MS = 8_000;

/** `afterMs` of those farewells: up to this. Threat: a client that comes back before the balancer knows that the node is gone. Milliseconds. */
export const DRAIN_AFTER_MS = 200;

/** How long a stopping node waits for answers to requests that were sent to it before the farewell. Threat: one that never comes. Milliseconds. */
export const LAST_ANSWERS_MS = 1_000;

/**
 * Sessions that are being opened at once: from the verified token until the inbox is synced. Threat: the members of a killed node, who come
 * at once; with all of them at work together none is done soon, and those already here wait behind them (docs/PERFORMANCE.md).
 */
export const OPENINGS_AT_ONCE = 16;

/** How long one of them may take until the next may begin. Threat: openings that hang hold up all others. Milliseconds. */
export const OPENING_MS = 2_000;

/** Connections that wait for their turn. Threat: memory; one costs about 50 KB. */
export const MAX_WAITING_OPENINGS = 2_000;

/**
 * How long one may wait. Threat: a client that gives up, and comes again while its place is still in the queue. Rather long: a Socket.IO client
 * that is refused does not come back unless its program says so. Milliseconds.
 */
export const OPENING_WAIT_MS = 25_000;

/** Within which time those come back who were refused because the node stops, each at a random moment. Threat: all at once. Milliseconds. */
export const RETRY_STOPPING_MS = 1_000;

/** The least and the longest time after which those come back for whom there was no place. Threat: all at once again. Milliseconds. */
export const RETRY_OPENING_MIN_MS = 250;
export const RETRY_OPENING_MAX_MS = 30_000;

/** Pages that sessions read from the store at once. Threat: thousands that are behind, after an outage, read at the cost of what is new. */
export const PAGES_AT_ONCE = 16;

/** Sessions whose heads are read by one call. Threat: a call that holds the event loop, or is too late for its deadline. */
export const HEADS_AT_ONCE = 500;

/** How far a doubt reaches back before the time that it names. Threat: a session whose start was noted a moment later. Milliseconds. */
export const DOUBT_MARGIN_MS = 1_000;

/** How often tasks of other nodes are looked for while these cannot be heard. Source: members elsewhere see it within 3 s. Milliseconds. */
export const LOOK_FOR_TASKS_MS = 2_000;

/** How far such a look reaches back before the last one. Threat: reports that were on their way, and clocks that differ. Milliseconds. */
export const TASKS_MARGIN_MS = 10_000;

/** Reads of one such look; each brings up to 1,000 tasks. Threat: a look that never ends where tasks are many. */
export const MAX_TASK_READS = 5;

/** The least time between two reads of all watched topics, and the topics of one read. Threat: doubts in a row, and a read of any size. */
export const REREAD_GAP_MS = 1_000;
export const TOPICS_A_READ = 200;

/** The least time between two messages about one task or one topic to other nodes. Source: as often as a screen is told. Milliseconds. */
export const RELAY_TASK_MS = 100;
export const RELAY_TOPIC_MS = 50;

/** How far another node's clock may be ahead in what it tells of a session. Threat: a forged time, which no later session would pass. Milliseconds. */
export const MAX_AHEAD_MS = 24 * 3_600_000;

/** Sessions told of in one sweep whose member is on another node too. Threat: a wave of messages after an outage. */
export const MAX_RIVALS = 1_000;

/** Topics that one connection to `/live` has joined. Threat: memory; an honest page shows a few boards. */
export const MAX_JOINED_TOPICS = 200;

/** The least time between two batches of updates to one client. Threat: an eye sees no more, and each batch costs packets both ways. Milliseconds. */
export const MIN_BATCH_GAP_MS = 50;

/**
 * Updates of one batch, and its bytes when no more are added. Threat: a batch that a slow client does not finish before its heartbeat is
 * given up: these numbers let one live that reads a packet a second, or 6 KB/s.
 */
export const MAX_BATCH_UPDATES = 16;
export const MAX_BATCH_BYTES = 64 * 1024;

/**
 * The least time between two `online` to one client. Threat: a number that changes with every connection, sent each time. A little less
 * than the second between two changes that presence tells, so that a late timer puts none off. Milliseconds.
 */
export const ONLINE_GAP_MS = 900;
