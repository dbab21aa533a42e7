/** The door of `topics`: live boards' latest values. */
export { parseTopics } from "./requests.js";
export { Topics, type Viewer } from "./topics.js";
export * from "./types.js";
