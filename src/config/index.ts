/** The door of `config`: the environment and the command line as one checked, typed value. */
export { ConfigError } from "./config-error.js";
export { loadConfig } from "./load.js";
export { MADE_UP_SUBJECT } from "./push.js";
export { readTlsPair } from "./tls.js";
export type { Config, TlsPair, TokenKeys } from "./types.js";
export { helpText, wantsHelp } from "./variables.js";
