import { Schema } from "mongoose";
import { number, OPTIONS, someText, text } from "./schema-parts.js";

/**
 * A device that is told by push, by the hash of its endpoint: `u` user, `e` endpoint, `p` its public key, `a` the secret beside it, `c` created
 * (ms), `g` the browser's name, null where it has none, `n` cursor, `f` failures, `r` not tried again before (ms).
 */
export interface PushDeviceDoc {
  _id: string;
  u: string;
  e: string;
  p: string;
  a: string;
  c: number;
  g: string | null;
  n: number;
  f: number;
  r: number;
}

/** The keys by which push services know this service: `p` public, `s` secret. There is one document, with the id `vapid`. */
export interface PushKeysDoc {
  _id: string;
  p: string;
  s: string;
}

export function pushDeviceSchema() {
  const schema = new Schema(
    { _id: text, u: text, e: text, p: text, a: text, c: number, g: someText, n: number, f: number, r: number },
    OPTIONS,
  );
  return schema.index({ u: 1, c: 1 });
}

export function pushKeysSchema() {
  return new Schema({ _id: text, p: text, s: text }, OPTIONS);
}
