import type { Lane } from "./lane.js";
import { LOOKS_AFTER_OTHERS } from "./limits.js";
import type { Queue } from "./queue.js";
import type { EntryPlace, StreamStore, Tail } from "./types.js";

/**
 * Knows the tails of all lanes whose turn it is. A tail that is not cached is read. One that is, of a stream that other nodes write to too,
 * is brought up to date by looking for the entries that may follow: a rumour says where to look, and only what the store has counts, so that
 * nothing that a bus says can lead to a gap or a wrong counter.
 * @throws what the store throws
 */
export async function bringUpTails<C>(store: StreamStore<C>, queue: Queue<C>): Promise<void> {
  const cold: string[] = [];
  const shared: Array<{ lane: Lane<C>; tail: Tail }> = [];
  const places: EntryPlace[] = [];
  for (const lane of queue.ready) {
    const { stream, tail } = lane;
    const task = queue.first(lane);
    // Whoever waited in it may have given up meanwhile.
    if (task === null) queue.ready.delete(lane);
    else if (tail === null || (isUndecided(task) && (lane.isBaseOld || lane.looks > 0))) cold.push(stream);
    // What was decided was decided for the tail that is cached; if it is old, the store refuses the row.
    else if (lane.looks > 0 && task.decide === null) {
      shared.push({ lane, tail });
      places.push({ stream, seq: tail.head + 1 });
      if (lane.heard > tail.head + 1) places.push({ stream, seq: lane.heard });
    }
  }
  await Promise.all([readWhole(store, queue, cold), followShared(store, shared, places)]);
}

function isUndecided<C>({ decide, draft }: Lane<C>["queue"][number]): boolean {
  return decide !== null && draft === null;
}

async function readWhole<C>(store: StreamStore<C>, queue: Queue<C>, streams: string[]): Promise<void> {
  if (streams.length === 0) return;
  for (const [stream, tail] of await store.tails(streams)) {
    const lane = queue.lane(stream);
    // A lane that became busy meanwhile knows better.
    if (lane.busy || (lane.tail !== null && lane.tail.head > tail.head)) continue;
    // Nobody else has written meanwhile: soon it need not be asked for any more.
    if (lane.looks > 0 && lane.tail?.head === tail.head) lane.looks--;
    lane.tail = tail;
    lane.isBaseOld = false;
  }
}

async function followShared<C>(store: StreamStore<C>, shared: Array<{ lane: Lane<C>; tail: Tail }>, places: EntryPlace[]): Promise<void> {
  if (places.length === 0) return;
  const newest = new Map<string, EntryPlace & { unread: number }>();
  for (const found of await store.look(places)) {
    if (found.seq > (newest.get(found.stream)?.seq ?? 0)) newest.set(found.stream, found);
  }
  for (const { lane, tail } of shared) {
    if (lane.tail !== tail) continue;
    const found = newest.get(lane.stream);
    if (found === undefined) {
      lane.looks--;
      lane.heard = 0;
    } else {
      lane.tail = { ...tail, head: found.seq, unread: found.unread };
      lane.isBaseOld = true;
      lane.looks = LOOKS_AFTER_OTHERS;
    }
  }
}
