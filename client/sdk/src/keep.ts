import { platform } from "./platform.js";
import type { Storage } from "./types.js";

/**
 * Storage that may be full, forbidden or broken without hurting anybody: what cannot be read is not there, what cannot be written is not
 * kept, and the developer is told once.
 */
export interface Keep {
  /** What is kept under the key. Never rejects. */
  get(key: string): Promise<string | null>;
  /** Keeps a text, at once where the storage can; null keeps nothing. */
  set(key: string, text: string | null): void;
}

/** @param given undefined for what the platform has */
export function keepIn(given: Storage | null | undefined, warn: (message: string) => void): Keep {
  let hasFailed = false;
  const attempt = async <Result>(act: (storage: Storage | null | undefined) => Result): Promise<Awaited<Result> | null> => {
    try {
      // Node has a `localStorage` too, which is not a member's.
      return await act(given === undefined && platform.document ? platform.localStorage : given);
    } catch (error) {
      if (!hasFailed) warn(`storage cannot be used: ${error}`);
      hasFailed = true;
      return null;
    }
  };
  return {
    get: (key) => attempt((storage) => storage?.getItem(key) ?? null),
    set(key, text) {
      void attempt((storage) => (text === null ? storage?.removeItem(key) : storage?.setItem(key, text)));
    },
  };
}
