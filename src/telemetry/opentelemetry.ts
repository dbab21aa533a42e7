import { type Context, DiagLogLevel, diag, isSpanContextValid, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider, type SpanExporter } from "@opentelemetry/sdk-trace-node";
import type { Logger } from "pino";
import type { Span, SpanStart, Tracing } from "./types.js";

/** How long a stopping node waits for its last spans to be taken. Threat: a place for traces that hangs, and holds up every stop. Milliseconds. */
const FLUSH_MS = 3_000;

/** Different remarks of the SDK that are logged, each once. Threat: a library that fills the log with its warnings. */
const MAX_REMARKS = 20;

const KINDS = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER, internal: SpanKind.INTERNAL };

/** `traceparent` of W3C Trace Context, of version 00 or a later one that only adds fields. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** The code of an export that was taken (`ExportResultCode.SUCCESS` of a package that only the SDK depends on). */
const TAKEN = 0;

type Exported = Parameters<SpanExporter["export"]>[1];

export interface ExportOptions {
  /** The collector's address, to which `v1/traces` is added. */
  endpoint: URL;
  nodeName: string;
  logger: Logger;
  /** Told how many spans have been taken, or lost. */
  onExport: (count: number, taken: boolean) => void;
}

/**
 * Spans by the SDK of OpenTelemetry. It reads the other standard variables itself: sampler, headers, timeout, size of the queue. Nothing is
 * registered for the whole process, and a context is handed on as text, so that it can cross to another node.
 */
export function exportSpans({ endpoint, nodeName, logger, onExport }: ExportOptions): Tracing {
  // What it has to say is about settings; failures of the export come by the exporter.
  diag.setLogger(
    { error: say, warn: say, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const said = new Set<string>();
  function say(message: string): void {
    // The same with another number, such as how many spans the queue had no place for, is not another remark.
    const remark = message.replaceAll(/\d+/g, "0");
    if (said.size >= MAX_REMARKS || said.has(remark)) return;
    said.add(remark);
    logger.warn({ remark: message }, "OpenTelemetry says");
  }
  // The variable for traces alone is the more exact one.
  const url = process.env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ? {} : { url: new URL("v1/traces", withSlash(endpoint)).href };
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ "service.name": "belfry", "service.instance.id": nodeName }))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new CalmExporter(new OTLPTraceExporter(url), logger, onExport))],
  });
  const tracer = provider.getTracer("belfry");
  return {
    start(name, { kind, parent, attributes = {} }: SpanStart): Span {
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes }, contextOf(parent));
      const { traceId, spanId, traceFlags } = span.spanContext();
      return {
        traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}`,
        rename: (to) => void span.updateName(to),
        note: (more) => void span.setAttributes(more),
        fail: (code) => void span.setStatus({ code: SpanStatusCode.ERROR, message: code }),
        end: (when) => span.end(when),
      };
    },
    async stop() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, FLUSH_MS);
      });
      await Promise.race([provider.shutdown().catch(ignore), late]);
      clearTimeout(timer);
    },
  };
}

/** Says once that spans are lost, and once that they are taken again, however long it lasts. */
class CalmExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #logger: Logger;
  readonly #onExport: ExportOptions["onExport"];
  #failing = false;

  constructor(exporter: SpanExporter, logger: Logger, onExport: ExportOptions["onExport"]) {
    this.#exporter = exporter;
    this.#logger = logger;
    this.#onExport = onExport;
  }

  export(spans: Parameters<SpanExporter["export"]>[0], done: Exported): void {
    this.#exporter.export(spans, (result) => {
      const taken = result.code === TAKEN;
      this.#onExport(spans.length, taken);
      if (!taken && !this.#failing) this.#logger.warn({ err: result.error }, "traces cannot be delivered; they are dropped until they can");
      if (taken && this.#failing) this.#logger.info("traces are delivered again");
      this.#failing = !taken;
      // Nobody is left to do anything about it.
      done({ code: TAKEN });
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }
}

/** The context that a span goes on with. */
function contextOf(traceparent: string | null): Context {
  const [, traceId, spanId, flags] = (traceparent === null ? null : TRACEPARENT.exec(traceparent)) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT;
  // Of the flags only the first is known to all versions: whether it is sampled.
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(context) ? trace.setSpanContext(ROOT_CONTEXT, context) : ROOT_CONTEXT;
}

/** Without one at its end, the last part of a path would be replaced. */
function withSlash(url: URL): string {
  return url.href.endsWith("/") ? url.href : `${url.href}/`;
}

function ignore(): void {}
