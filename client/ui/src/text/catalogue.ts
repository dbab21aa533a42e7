import type { en } from "./en.js";
import type { Message } from "./message.js";

/** All messages of a language. */
export type Catalogue = Readonly<Record<keyof typeof en, Message>>;

/** The name of a message. */
export type Key = keyof Catalogue;
