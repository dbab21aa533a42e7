/**
 * What is counted under each combination of labels. Made where it is asked for first, so a service shows only what has happened. Values of
 * labels come from the program, never from a request: their number is that of the places which ask.
 */
export class Family<T> {
  readonly labelNames: readonly string[];
  readonly #make: () => T;
  readonly #members = new Map<string, { values: string[]; member: T }>();

  constructor(labelNames: readonly string[], make: () => T) {
    this.labelNames = labelNames;
    this.#make = make;
  }

  /** The member with these values of the labels, in their order. */
  of(...values: string[]): T {
    const key = values.length === 1 ? (values[0] as string) : values.join("\n");
    let found = this.#members.get(key);
    if (found === undefined) {
      found = { values, member: this.#make() };
      this.#members.set(key, found);
    }
    return found.member;
  }

  /** All members with their labels, in the order in which they were made. */
  *all(): Iterable<[labels: Record<string, string>, member: T]> {
    for (const { values, member } of this.#members.values()) {
      yield [Object.fromEntries(this.labelNames.map((name, index) => [name, values[index] as string])), member];
    }
  }
}
