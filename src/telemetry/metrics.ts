import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { ErrorCode } from "../errors.js";
import { type BusMetrics, registerBus } from "./bus-metrics.js";
import { type Following, NOT_FOLLOWED } from "./context.js";
import { Deliveries, type DeliveryWatcher } from "./deliveries.js";
import { type Distribution, registerDistribution, registerDistributions } from "./distribution.js";
import { HttpRequests, SocketRequests } from "./requests.js";
import { registerSampled, registerSamples, type Sampled } from "./sampled.js";
import { StoreCalls } from "./store-calls.js";
import { registerReading, registerTallies, registerTally, type Tally } from "./tally.js";

/** What became of an event, notification or hook that came in: `refused` was the caller's fault, `failed` the service's. */
const EVENT_OUTCOMES = ["stored", "duplicate", "ignored", "refused", "failed"] as const;
export type EventOutcome = (typeof EVENT_OUTCOMES)[number];

/** What becomes of a message to a device. */
const PUSH_OUTCOMES = ["sent", "failed", "removed"] as const;

/** Bounds of what should take milliseconds. Seconds. */
const DURATIONS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

/** The same of what an index answers, and of what waits for an outage to end. Seconds. */
const CALL_DURATIONS = [0.0001, 0.0005, ...DURATIONS, 10];
const DELIVERY_DURATIONS = [...DURATIONS, 10, 30];

/** Everything that is counted. docs/OPERATIONS.md lists the names under which Prometheus sees it. */
export interface Metrics {
  /** Requests over HTTP and by socket, with what follows them. */
  http: HttpRequests;
  sockets: SocketRequests;
  deliveries: Deliveries;
  storeCalls: StoreCalls;
  bus: BusMetrics;
  connectedSessions: Gauge;
  connectedUsers: Gauge;
  /** By namespace, where the number of its sessions on this node stands. */
  namespaceSessions: Map<string, () => number>;
  /** Members online, over all nodes. */
  onlineUsers: Sampled;
  /** Connections that wait until their session may begin. */
  admissionQueue: Sampled;
  /** Sessions that are not given more because they are behind, and the bytes that wait for all. Set with every sweep. */
  congestedSessions: Gauge;
  waitingBytes: Gauge;
  events: Record<EventOutcome, Tally>;
  entriesAppended: Tally;
  /** Rows that were taken and are not settled. */
  appendQueue: Sampled;
  /** Compare-and-set losses: another writer was first. */
  appendConflicts: Tally;
  /** Rows in one batch of the store. */
  batchSize: Distribution;
  /** Seconds from the arrival of a request's headers to its answer, on the routes that take events in. */
  ingestSeconds: Distribution;
  replays: Tally;
  resets: Tally;
  snapshots: Tally;
  slowConsumers: Tally;
  trimmedStreams: Tally;
  trimFailures: Tally;
  /** By the lease's name, whether this node holds it: 1 or 0. */
  leases: Map<string, () => number>;
  spans: Record<"exported" | "failed", Tally>;
  /** Messages that push services have taken, attempts that failed, and devices that were given up. */
  pushes: Record<(typeof PUSH_OUTCOMES)[number], Tally>;
  /** Devices that this node knows of, and those for which a message waits. */
  pushDevices: Sampled;
  pushWaiting: Sampled;
  /** Counts one problem answered over HTTP. */
  httpError(code: ErrorCode): void;
  contentType: string;
  /** The text that Prometheus scrapes. */
  text(): Promise<string>;
  /** Forgets all metrics; idempotent. */
  stop(): void;
}

export interface MetricsOptions {
  /** Whether requests are followed; they are not, where it is not given. */
  following?: Following;
  deliveryWatcher?: DeliveryWatcher | null;
}

/** Metrics with a registry of their own, so that several services can live in one process. Holds no timer that keeps it alive. */
export function createMetrics({ following = NOT_FOLLOWED, deliveryWatcher = null }: MetricsOptions = {}): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  registerReading(
    registry,
    "belfry_event_loop_active_seconds_total",
    "Time in which the event loop had something to do; its rate is the share of a core that is used up.",
    () => performance.eventLoopUtilization().active / 1000,
  );
  const registers = [registry];
  const errors = registerTallies(registry, "belfry_http_errors_total", "Problems answered over HTTP, by code.", ["code"]);

  return {
    ...requestMetrics(registry, following),
    ...appendMetrics(registry),
    ...sessionMetrics(registry),
    deliveries: deliveryMetrics(registry, deliveryWatcher),
    bus: registerBus(registry),
    trimmedStreams: registerTally(registry, "belfry_trimmed_streams_total", "Streams whose base was moved by trimming."),
    trimFailures: registerTally(registry, "belfry_trim_failures_total", "Sweeps of trimming that failed."),
    leases: registerSamples(registry, "belfry_lease_held", "1 where this node holds the lease, else 0.", "lease"),
    connectedSessions: new Gauge({ name: "belfry_connected_sessions", help: "Sessions on /notifications of this node.", registers }),
    connectedUsers: new Gauge({ name: "belfry_connected_users", help: "Members with a session on this node.", registers }),
    spans: outcomes(registerTallies(registry, "belfry_spans_total", "Spans of traces, by what became of their export.", ["outcome"]), [
      "exported",
      "failed",
    ]),
    pushes: outcomes(
      registerTallies(registry, "belfry_pushes_total", "Messages to devices, by what became of them.", ["outcome"]),
      PUSH_OUTCOMES,
    ),
    pushDevices: registerSampled(registry, "belfry_push_devices", "Devices that are told by push, as far as this node knows."),
    pushWaiting: registerSampled(registry, "belfry_push_waiting", "Devices for which a message waits."),
    httpError: (code) => errors.of(code).add(),
    contentType: registry.contentType,
    text: () => registry.metrics(),
    stop: () => registry.clear(),
  };
}

function requestMetrics(registry: Registry, following: Following) {
  const http = { name: "belfry_http_request_seconds", help: "Requests over HTTP, to the end of the answer.", bounds: DURATIONS };
  const socket = { name: "belfry_socket_request_seconds", help: "Requests by socket, to the answer.", bounds: DURATIONS };
  const handshakes = registerTallies(registry, "belfry_handshakes_total", "Connections to a namespace, by what was decided.", [
    "namespace",
    "outcome",
  ]);
  return {
    http: new HttpRequests(registerDistributions(registry, http, ["route", "method", "status"]), following),
    sockets: new SocketRequests(registerDistributions(registry, socket, ["namespace", "event", "outcome"]), handshakes, following),
    events: outcomes(
      registerTallies(registry, "belfry_events_total", "Events, notifications and hooks that came in, by outcome.", ["outcome"]),
      EVENT_OUTCOMES,
    ),
    ingestSeconds: registerDistribution(registry, {
      name: "belfry_ingest_seconds",
      help: "Time from a request's headers to its answer, for events, notifications and hooks.",
      bounds: DURATIONS,
    }),
  };
}

function appendMetrics(registry: Registry) {
  const calls = { name: "belfry_store_call_seconds", help: "Calls of the store, by operation.", bounds: CALL_DURATIONS };
  const storeCalls = new StoreCalls({
    seconds: registerDistributions(registry, calls, ["operation"]),
    errors: registerTallies(registry, "belfry_store_errors_total", "Calls of the store that failed.", ["operation", "error"]),
    rows: registerTallies(registry, "belfry_append_rows_total", "Rows given to the store, by what became of them.", ["outcome"]),
  });
  registerSampled(registry, "belfry_store_calls_running", "Calls of the store under way.").from(() => storeCalls.running);
  return {
    storeCalls,
    entriesAppended: registerTally(registry, "belfry_entries_appended_total", "Entries stored in streams."),
    appendQueue: registerSampled(registry, "belfry_append_queue_rows", "Rows that were taken in and wait for the store."),
    appendConflicts: registerTally(registry, "belfry_append_conflicts_total", "Appends tried again because another writer was first."),
    batchSize: registerDistribution(registry, {
      name: "belfry_append_batch_size",
      help: "Entries in one batch of the store.",
      bounds: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
    }),
  };
}

function sessionMetrics(registry: Registry) {
  const registers = [registry];
  return {
    namespaceSessions: registerSamples(registry, "belfry_namespace_sessions", "Sessions of this node, by namespace.", "namespace"),
    onlineUsers: registerSampled(registry, "belfry_online_users", "Members online, over all nodes."),
    admissionQueue: registerSampled(registry, "belfry_admission_queue", "Connections that wait until their session may begin."),
    congestedSessions: new Gauge({
      name: "belfry_congested_sessions",
      help: "Sessions that are too far behind to be given more.",
      registers,
    }),
    waitingBytes: new Gauge({ name: "belfry_waiting_bytes", help: "Bytes that wait for clients to read.", registers }),
    replays: registerTally(registry, "belfry_replays_total", "Streams continued after a cursor."),
    resets: registerTally(registry, "belfry_resets_total", "Cursors that could not be continued."),
    snapshots: registerTally(registry, "belfry_snapshots_total", "Streams shown anew, as they were."),
    slowConsumers: registerTally(registry, "belfry_slow_consumers_total", "Sessions ended because they did not read."),
  };
}

function deliveryMetrics(registry: Registry, watcher: DeliveryWatcher | null): Deliveries {
  const ways = registerTallies(registry, "belfry_deliveries_total", "Entries written to sessions.", ["way"]);
  const seconds = registerDistribution(registry, {
    name: "belfry_delivery_seconds",
    help: "Time from an entry's acceptance to its writing to a socket, of live deliveries, whichever node took it.",
    bounds: DELIVERY_DURATIONS,
  });
  return new Deliveries({ seconds, live: ways.of("live"), replayed: ways.of("replay"), watcher });
}

/** All of them from the start, so that a first failure is an increase. */
function outcomes<Outcome extends string>(tallies: { of(outcome: string): Tally }, names: readonly Outcome[]): Record<Outcome, Tally> {
  return Object.fromEntries(names.map((name) => [name, tallies.of(name)])) as Record<Outcome, Tally>;
}
