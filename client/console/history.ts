import type { AuditEntry, Listing } from "./shapes.js";

/** Entries of a member's history that are shown on their page. */
export const HISTORY = 20;

/** How often a search that the service has stopped is gone on with. Each time it looks at thousands of entries of everybody's. */
const MAX_STEPS = 5;

/**
 * The newest acts on a member, with whether there may be older ones: `more`. `read` has the service search from the given place on.
 * @throws what `read` throws
 */
export async function historyOf(read: (before: string | undefined) => Promise<Listing<AuditEntry>>): Promise<Listing<AuditEntry>> {
  const items: AuditEntry[] = [];
  let before: string | undefined;
  for (let step = 0; step < MAX_STEPS; step++) {
    const page = await read(before);
    items.push(...page.items);
    if (items.length > HISTORY) return { items: items.slice(0, HISTORY), more: true };
    if (page.next === undefined || items.length === HISTORY) return { items, more: page.more };
    before = page.next;
  }
  return { items, more: true };
}
