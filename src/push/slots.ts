/** Those who are in, and those who wait, of one name. */
interface Line {
  inside: number;
  waiting: Array<() => void>;
}

/** Lets so many in at once, and of one name so many; the names that wait take turns. */
export class Slots {
  readonly #total: number;
  readonly #each: number;
  #inside = 0;
  /** Names of which anybody is in or waits; whose turn was last comes last. */
  readonly #lines = new Map<string, Line>();

  constructor(total: number, each = total) {
    this.#total = total;
    this.#each = each;
  }

  /** Runs `work` when there is room for it. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    await this.#enter(name);
    try {
      return await work();
    } finally {
      this.#leave(name);
    }
  }

  #enter(name: string): Promise<void> {
    let line = this.#lines.get(name);
    if (line === undefined) {
      line = { inside: 0, waiting: [] };
      this.#lines.set(name, line);
    }
    const { waiting } = line;
    return new Promise((resolve) => {
      waiting.push(resolve);
      this.#letIn();
    });
  }

  #leave(name: string): void {
    const line = this.#lines.get(name) as Line;
    this.#inside--;
    line.inside--;
    if (line.inside === 0 && line.waiting.length === 0) this.#lines.delete(name);
    this.#letIn();
  }

  #letIn(): void {
    while (this.#inside < this.#total) {
      const name = this.#next();
      if (name === null) return;
      const line = this.#lines.get(name) as Line;
      this.#lines.delete(name);
      this.#lines.set(name, line);
      line.inside++;
      this.#inside++;
      line.waiting.shift()?.();
    }
  }

  /** The first name of which one may come in, or null. */
  #next(): string | null {
    for (const [name, { inside, waiting }] of this.#lines) if (waiting.length > 0 && inside < this.#each) return name;
    return null;
  }
}
