import { Counter, type Registry } from "prom-client";
import { Family } from "./family.js";

/** A count that costs an addition; prom-client, which would look up labels at every step, reads it when it is scraped. */
export class Tally {
  #total = 0;

  add(count = 1): void {
    this.#total += count;
  }

  get value(): number {
    return this.#total;
  }
}

/** Registers one Prometheus counter with labels. */
export function registerTallies(registry: Registry, name: string, help: string, labelNames: readonly string[]): Family<Tally> {
  const tallies = new Family(labelNames, () => new Tally());
  new Counter({
    name,
    help,
    labelNames: [...labelNames],
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, tally] of tallies.all()) this.inc(labels, tally.value);
    },
  });
  return tallies;
}

/** Registers one Prometheus counter without labels. */
export function registerTally(registry: Registry, name: string, help: string): Tally {
  const tally = new Tally();
  registerReading(registry, name, help, () => tally.value);
  return tally;
}

/** Registers one Prometheus counter whose total is kept elsewhere, and only grows. */
export function registerReading(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}
