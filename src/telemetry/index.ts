/** The door of `telemetry`: what the process says about itself. */
export { currentOrigin } from "./context.js";
export { createLogger } from "./logger.js";
export { createMetrics, type Metrics } from "./metrics.js";
export { Telemetry } from "./telemetry.js";
export type * from "./types.js";
