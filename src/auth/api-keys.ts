import { hash, timingSafeEqual } from "node:crypto";

/** The keys with which servers authenticate. Only their digests are kept. */
export class ApiKeys {
  private readonly digests: Buffer[];

  constructor(keys: string[]) {
    this.digests = keys.map(digestOf);
  }

  /**
   * Whether this is one of the keys. Digests are compared, in constant time, and always all of them: the time taken tells nothing about
   * how much of a key was right, nor which.
   */
  matches(presented: string): boolean {
    const digest = digestOf(presented);
    let found = false;
    for (const known of this.digests) found = timingSafeEqual(known, digest) || found;
    return found;
  }
}

function digestOf(key: string): Buffer {
  return hash("sha256", key, "buffer");
}
