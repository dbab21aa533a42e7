import type Database from "libsql";

/** Numbers kept in memory. Threat: memory, with millions of members; a forgotten one costs one look-up. */
const MAX_KEPT = 100_000;

/** The numbers by which entries name their stream: a few bytes in every row and index instead of a name. */
export class StreamIds {
  readonly #kept = new Map<string, number>();
  /** Numbers that the transaction under way has made; they count once it is committed. */
  readonly #made = new Map<string, number>();
  readonly #select: Database.Statement;
  readonly #insert: Database.Statement;

  constructor(db: Database.Database) {
    this.#select = db.prepare("SELECT id FROM streams WHERE name = ?");
    this.#insert = db.prepare("INSERT INTO streams (name) VALUES (?)");
  }

  /** The stream's number, or null where it has no entry yet. */
  find(stream: string): number | null {
    const kept = this.#kept.get(stream);
    if (kept !== undefined) return kept;
    const row = this.#select.get(stream) as { id: number } | undefined;
    if (row === undefined) return null;
    this.#keep(stream, row.id);
    return row.id;
  }

  /** The stream's number, made where it has none. Only within a transaction. */
  findOrMake(stream: string): number {
    const known = this.#made.get(stream) ?? this.#kept.get(stream);
    if (known !== undefined) return known;
    const row = this.#select.get(stream) as { id: number } | undefined;
    const id = row?.id ?? Number(this.#insert.run(stream).lastInsertRowid);
    this.#made.set(stream, id);
    return id;
  }

  /** The transaction is durable, and with it the numbers that it made. */
  committed(): void {
    for (const [stream, id] of this.#made) this.#keep(stream, id);
    this.#made.clear();
  }

  /** A transaction begins; what one that was undone had made is void. */
  begun(): void {
    this.#made.clear();
  }

  #keep(stream: string, id: number): void {
    // All at once: which ones are hot shows in the next batches.
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(stream, id);
  }
}
