/** The preferences' door: what members want to be told, and whom they do not want to hear of. */
export { Preferences } from "./preferences.js";
export * from "./types.js";
