import { type AppendBatch, type AppendResult, OutcomeUnknown, type StreamStore } from "../../src/stream/types.js";

/**
 * What happens to a batch whose answer is lost: `performed` before the connection went, `dropped` on the way, or `late`: it arrives after
 * the writer has looked and has sent it again.
 */
export type Fault = "performed" | "dropped" | "late";

/** A store that loses the answers to the first appends, one for each fault given; everything else is the real store's. */
export function faulty<C>(store: StreamStore<C>, faults: Fault[]): StreamStore<C> & { readonly left: number } {
  const waiting = [...faults];
  const late: AppendBatch<C>[] = [];
  const append = async (batch: AppendBatch<C>): Promise<AppendResult> => {
    const fault = waiting.shift();
    if (fault === undefined) {
      for (const one of late.splice(0)) await store.append(one);
      return store.append(batch);
    }
    if (fault === "performed") await store.append(batch);
    if (fault === "late") late.push(batch);
    throw new OutcomeUnknown("the answer was lost by the test");
  };
  return new Proxy(store, {
    get(target, name) {
      if (name === "append") return append;
      if (name === "left") return waiting.length;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  }) as StreamStore<C> & { readonly left: number };
}
