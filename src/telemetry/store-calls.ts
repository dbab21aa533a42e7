import { BelfryError } from "../errors.js";
import type { Distribution } from "./distribution.js";
import type { Family } from "./family.js";
import type { Tally } from "./tally.js";

/** What is counted of the calls of a store. */
export interface StoreCallMetrics {
  /** Labelled operation. */
  seconds: Family<Distribution>;
  /** Labelled operation, error. */
  errors: Family<Tally>;
  /** What became of rows that were given to `append`; labelled outcome. */
  rows: Family<Tally>;
}

type Method = (...args: unknown[]) => unknown;

/** The operation that is answered with what became of rows. */
const APPEND = "streams.append";

/** The store's word that it cannot say whether a batch was stored; the port of the streams defines it. */
const OUTCOME_UNKNOWN = "OutcomeUnknown";

/** Watches a store from outside: how long each call takes, which fail, and how many are under way. */
export class StoreCalls {
  readonly #metrics: StoreCallMetrics;
  #running = 0;

  constructor(metrics: StoreCallMetrics) {
    this.#metrics = metrics;
  }

  /** Calls under way. */
  get running(): number {
    return this.#running;
  }

  /**
   * The same stores, each port of which is watched; what is no port stays as it is. Operations are called by the port and the method,
   * `streams.append`: so the program's text bounds their number.
   */
  observed<S extends object>(stores: S): S {
    const entries = Object.entries(stores).map(([name, value]) => [
      name,
      typeof value === "object" && value !== null ? this.#port(name, value) : value,
    ]);
    return Object.fromEntries(entries) as S;
  }

  #port<P extends object>(name: string, port: P): P {
    const watched: object = Object.create(null);
    for (const key of keysOf(port)) {
      const value = Reflect.get(port, key) as unknown;
      const operation = `${name}.${key}`;
      // What is read may change, and its owner must be asked with itself for `this`.
      if (typeof value !== "function") Object.defineProperty(watched, key, { get: () => Reflect.get(port, key), enumerable: true });
      else Reflect.set(watched, key, this.#call(operation, value.bind(port) as Method, operation === APPEND ? this.#countRows : null));
    }
    return watched as P;
  }

  /** Only what takes time is timed: an answer that comes at once is memory's. */
  #call(operation: string, method: Method, onAnswer: ((answer: unknown) => void) | null): Method {
    const { seconds, errors } = this.#metrics;
    return (...args) => {
      const startedAt = performance.now();
      const answer = method(...args);
      if (!(answer instanceof Promise)) return answer;
      this.#running++;
      const end = (): void => {
        this.#running--;
        seconds.of(operation).observe((performance.now() - startedAt) / 1000);
      };
      return answer.then(
        (value: unknown) => {
          end();
          onAnswer?.(value);
          return value;
        },
        (error: unknown) => {
          end();
          errors.of(operation, errorName(error)).add();
          throw error;
        },
      );
    };
  }

  readonly #countRows = (answer: unknown): void => {
    const { rows } = answer as { rows: Array<{ is: string }> };
    // Most often all have the same outcome, so that it is looked up once for all.
    let first = 0;
    for (let index = 1; index <= rows.length; index++) {
      const { is } = rows[first] as { is: string };
      if (index < rows.length && rows[index]?.is === is) continue;
      this.#metrics.rows.of(is).add(index - first);
      first = index;
    }
  };
}

/** The names of all methods and values of an object, those of its class included. */
function keysOf(port: object): Set<string> {
  const keys = new Set<string>();
  for (
    let owner: object | null = port;
    owner !== null && owner !== Object.prototype;
    owner = Object.getPrototypeOf(owner) as object | null
  ) {
    for (const key of Object.getOwnPropertyNames(owner)) if (key !== "constructor") keys.add(key);
  }
  return keys;
}

function errorName(error: unknown): string {
  if (error instanceof BelfryError) return error.code;
  return error instanceof Error && error.name === OUTCOME_UNKNOWN ? "outcome_unknown" : "internal";
}
