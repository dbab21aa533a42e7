import type { Logger } from "pino";
import type { Config } from "../config/index.js";
import type { Tracing } from "./types.js";

/**
 * Traces to where OTEL_EXPORTER_OTLP_ENDPOINT says; null without it, and then nothing of OpenTelemetry is loaded.
 * `onExport` is told how many spans have been taken, or lost.
 */
export async function startTracing(
  config: Pick<Config, "otlpEndpoint" | "nodeName">,
  logger: Logger,
  onExport: (count: number, taken: boolean) => void,
): Promise<Tracing | null> {
  if (config.otlpEndpoint === null) return null;
  const { exportSpans } = await import("./opentelemetry.js");
  return exportSpans({ endpoint: config.otlpEndpoint, nodeName: config.nodeName, logger, onExport });
}
