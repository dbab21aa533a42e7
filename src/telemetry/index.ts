/** The door of `telemetry`: what the process says about itself. */
export { createLogger } from "./logger.js";
export { createMetrics, type EventOutcome, type Metrics } from "./metrics.js";
export type { Tally } from "./tally.js";
