/** The door of `process`: what the operating system and this process say to each other. */
export { onReloadSignal, onStopSignal } from "./signals.js";
export { Watchdog } from "./watchdog.js";
