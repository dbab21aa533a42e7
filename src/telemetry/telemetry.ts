import type { Logger } from "pino";
import type { Config } from "../config/index.js";
import { Following } from "./context.js";
import { watchDeliveries } from "./deliveries.js";
import { type Batch, EventSpans, type Publication } from "./event-spans.js";
import { createMetrics, type Metrics } from "./metrics.js";
import { startTracing } from "./tracing.js";

/** What takes events in, whatever they are and however they are answered. */
type Decide = (subject: never) => Promise<unknown>;

/** Everything by which a service is looked at. What it hands back for a part of the service does the same and is watched. */
export class Telemetry {
  readonly metrics: Metrics;
  readonly #spans: EventSpans | null;
  readonly #stop: () => Promise<void>;

  private constructor(metrics: Metrics, spans: EventSpans | null, stop: () => Promise<void>) {
    this.metrics = metrics;
    this.#spans = spans;
    this.#stop = stop;
  }

  /** Starts what the configuration asks for. */
  static async start(config: Pick<Config, "otlpEndpoint" | "nodeName">, logger: Logger): Promise<Telemetry> {
    const tracing = await startTracing(config, logger, (count, taken) => metrics.spans[taken ? "exported" : "failed"].add(count));
    const following = new Following({ isDebug: logger.isLevelEnabled("debug"), tracing });
    const metrics = createMetrics({ following, deliveryWatcher: watchDeliveries(logger, tracing) });
    return new Telemetry(metrics, tracing === null ? null : new EventSpans(tracing, following), async () => tracing?.stop());
  }

  /** All stores of the service. */
  stores<S extends { streams: { append(batch: never): Promise<unknown> } }>(stores: S): S {
    const observed = this.metrics.storeCalls.observed(stores);
    if (this.#spans === null) return observed;
    const append = this.#spans.appending((batch: Batch) => observed.streams.append(batch as never));
    return { ...observed, streams: replacing(observed.streams, { append }) };
  }

  /** To whom what is decided of events is given. */
  publisher<P extends { publish(request: never): Promise<unknown> }>(publisher: P): P {
    if (this.#spans === null) return publisher;
    return replacing(publisher, { publish: this.#spans.publishing((request: Publication) => publisher.publish(request as never)) });
  }

  /** Who decides what becomes of events; `entrances` are the methods by which these come. */
  decider<D extends object>(decider: D, ...entrances: Array<keyof D>): D {
    const spans = this.#spans;
    if (spans === null) return decider;
    return replacing(
      decider,
      Object.fromEntries(entrances.map((name) => [name, spans.deciding((decider[name] as Decide).bind(decider) as Decide)])),
    );
  }

  /** Sends what waits, and forgets all metrics. Harmless when called again. */
  async stop(): Promise<void> {
    await this.#stop();
    this.metrics.stop();
  }
}

/** The same object but for some of its methods. Those that stay are called on the object itself: what is private to it needs that. */
function replacing<T extends object>(object: T, methods: Record<string, unknown>): T {
  return new Proxy(object, {
    get(target, key) {
      if (typeof key === "string" && Object.hasOwn(methods, key)) return methods[key];
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
