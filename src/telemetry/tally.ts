import { Counter, type Registry } from "prom-client";

/** A count that costs an addition; prom-client, which would look up labels at every step, reads it when it is scraped. */
export class Tally {
  private total = 0;

  add(count = 1): void {
    this.total += count;
  }

  get value(): number {
    return this.total;
  }
}

/** Registers one Prometheus counter whose values are tallies, by the value of its only label. The map may grow later. */
export function registerTallies(registry: Registry, name: string, help: string, label: string, tallies: ReadonlyMap<string, Tally>): void {
  new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [value, tally] of tallies) this.inc({ [label]: value }, tally.value);
    },
  });
}

/** Registers one Prometheus counter without labels. */
export function registerTally(registry: Registry, name: string, help: string): Tally {
  const tally = new Tally();
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(tally.value);
    },
  });
  return tally;
}
