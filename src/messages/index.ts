/** The door of `messages`: what members write to each other. */
export { Messages } from "./messages.js";
