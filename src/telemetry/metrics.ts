import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { ErrorCode } from "../errors.js";
import { registerTallies, registerTally, Tally } from "./tally.js";

/** What became of an event, notification or hook that came in: `refused` was the caller's fault, `failed` the service's. */
const EVENT_OUTCOMES = ["stored", "duplicate", "ignored", "refused", "failed"] as const;
export type EventOutcome = (typeof EVENT_OUTCOMES)[number];

/** Everything that is counted. docs/OPERATIONS.md lists the names under which Prometheus sees it. */
export interface Metrics {
  connectedSessions: Gauge;
  connectedUsers: Gauge;
  events: Record<EventOutcome, Tally>;
  entriesAppended: Tally;
  /** Compare-and-set losses: another writer was first. */
  appendConflicts: Tally;
  /** Rows in one batch of the store. */
  batchSize: Histogram;
  /** Seconds from the arrival of a request's headers to its answer, on the routes that take events in. */
  ingestSeconds: Histogram;
  replays: Tally;
  resets: Tally;
  slowConsumers: Tally;
  /** Counts one problem answered over HTTP. */
  httpError(code: ErrorCode): void;
  contentType: string;
  /** The text that Prometheus scrapes. */
  text(): Promise<string>;
  /** Forgets all metrics; idempotent. */
  stop(): void;
}

/** Metrics with a registry of their own, so that several services can live in one process. Holds no timer that keeps it alive. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  const outcomes = new Map(EVENT_OUTCOMES.map((outcome) => [outcome, new Tally()]));
  registerTallies(registry, "belfry_events_total", "Events, notifications and hooks that came in, by outcome.", "outcome", outcomes);
  const errors = new Map<ErrorCode, Tally>();
  registerTallies(registry, "belfry_http_errors_total", "Problems answered over HTTP, by code.", "code", errors);
  const registers = [registry];

  return {
    connectedSessions: new Gauge({ name: "belfry_connected_sessions", help: "Sessions on /notifications of this node.", registers }),
    connectedUsers: new Gauge({ name: "belfry_connected_users", help: "Members with a session on this node.", registers }),
    events: Object.fromEntries(outcomes) as Record<EventOutcome, Tally>,
    entriesAppended: registerTally(registry, "belfry_entries_appended_total", "Entries stored in streams."),
    appendConflicts: registerTally(registry, "belfry_append_conflicts_total", "Appends tried again because another writer was first."),
    batchSize: new Histogram({
      name: "belfry_append_batch_size",
      help: "Entries in one batch of the store.",
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
      registers,
    }),
    ingestSeconds: new Histogram({
      name: "belfry_ingest_seconds",
      help: "Time from a request's headers to its answer, for events, notifications and hooks.",
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
      registers,
    }),
    replays: registerTally(registry, "belfry_replays_total", "Streams continued after a cursor."),
    resets: registerTally(registry, "belfry_resets_total", "Cursors that could not be continued."),
    slowConsumers: registerTally(registry, "belfry_slow_consumers_total", "Sessions ended because they did not read."),
    httpError(code) {
      const tally = errors.get(code) ?? new Tally();
      errors.set(code, tally);
      tally.add();
    },
    contentType: registry.contentType,
    text: () => registry.metrics(),
    stop: () => registry.clear(),
  };
}
