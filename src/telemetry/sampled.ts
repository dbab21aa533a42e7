import { Gauge, type Registry } from "prom-client";

/** A number that is asked for when Prometheus scrapes, and absent until somebody says where it stands. */
export class Sampled {
  #read: (() => number) | null = null;

  /** Where the number comes from, from now on. */
  from(read: () => number): void {
    this.#read = read;
  }

  get value(): number | null {
    return this.#read?.() ?? null;
  }
}

/** Registers one Prometheus gauge without labels. */
export function registerSampled(registry: Registry, name: string, help: string): Sampled {
  const sampled = new Sampled();
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      const { value } = sampled;
      if (value === null) this.remove();
      else this.set(value);
    },
  });
  return sampled;
}

/** Registers one Prometheus gauge with one label; the map has, by its value, where each number comes from. */
export function registerSamples(registry: Registry, name: string, help: string, label: string): Map<string, () => number> {
  const samples = new Map<string, () => number>();
  new Gauge({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      for (const [value, read] of samples) this.set({ [label]: value }, read());
    },
  });
  return samples;
}
