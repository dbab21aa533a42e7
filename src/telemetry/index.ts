/** The door of `telemetry`: what the process says about itself. */
export { createLogger } from "./logger.js";
export { createMetrics, type Metrics } from "./metrics.js";
