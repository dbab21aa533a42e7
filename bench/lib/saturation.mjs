/** Servers kept as busy as they can be, or at a given pace: what arrives in a window, and that exactly what was answered arrives. */
import { monotonicMicroseconds, sleep } from "./clock.mjs";
import { randomSource } from "./events.mjs";

/** How long after the last answer a delivery may take until it counts as lost. */
const DRAIN_DEADLINE_MS = 20_000;

const sum = (all, key) => all.reduce((total, one) => total + one[key], 0);

/**
 * Waits until everything that was answered to `loads` has arrived at `groups` of members, and throws unless every member got exactly what is
 * theirs.
 */
export async function verify(loads, groups) {
  const deadline = performance.now() + DRAIN_DEADLINE_MS;
  const notified = sum(loads, "notified");
  while (sum(groups, "received") < notified && performance.now() < deadline) await sleep(20);
  // Anything that arrives twice would come after the last one that was waited for.
  await sleep(100);
  const wrong = [];
  for (const [user, received] of groups.flatMap((members) => [...members.counts()])) {
    const expected = loads.reduce((count, load) => count + (load.expectedOf.get(user) ?? 0), 0);
    if (received !== expected) wrong.push(`${user} got ${received} of ${expected}`);
  }
  const arrived = sum(groups, "received");
  if (wrong.length > 0 || arrived !== notified) {
    throw new Error(
      `${notified} notifications were answered, ${arrived} entries arrived; wrong for ${wrong.length} members: ` +
        wrong.slice(0, 10).join(", "),
    );
  }
}

/** Deliveries by the CPU and by the clock; `window` is what `openWindow` or `openWindowOnBoth` gave. */
export function figures(deliveries, window, extra) {
  return {
    deliveries,
    ...window,
    perCpuSecond: deliveries / window.cpu,
    perWallSecond: deliveries / window.wall,
    utilisation: window.cpu / window.wall,
    ...extra,
  };
}

/** For how much longer than the window a pace is kept. Seconds. */
const PACE_TAIL = 0.5;

/** As `saturated`, with `rate` events a second of each load, at random moments. */
export function paced({ rate, seed, options, ...rest }) {
  const seconds = options.warmup + options.window + PACE_TAIL;
  const post = (load, index) => load.scheduled({ rate, seconds, random: randomSource(seed * 100 + index), onSchedule: () => undefined });
  return saturated({ ...rest, options, post });
}

/**
 * Warm-up, then a measured window, with all callers posting without a pause; then the check that everything arrived. `sides`: what is
 * answered to `loads` arrives at `groups` of members, of each side by itself. `open()` begins the window and gives what ends it;
 * `onWindow(from, to)` hears when it was, on the clock of V8's profiles. `post(load)`: another way to post.
 */
export async function saturated({ sides, open, options, onWindow, post = (load) => load.saturate() }) {
  const loads = sides.flatMap((side) => side.loads);
  const groups = sides.flatMap((side) => side.groups);
  for (const members of groups) {
    members.onLost = (user) => {
      throw new Error(`${user} lost its connection during the run`);
    };
  }
  try {
    const answers = Promise.all(loads.map(post));
    const measured = measureWindow({ loads, groups, open, options, onWindow });
    // A caller that fails ends the run at once; the window would otherwise go on measuring nothing.
    await Promise.race([answers, measured]);
    const result = await measured;
    await answers;
    for (const side of sides) await verify(side.loads, side.groups);
    return { ...result, total: sum(loads, "notified") };
  } finally {
    for (const one of [...loads, ...groups]) one.close();
  }
}

async function measureWindow({ loads, groups, open, options, onWindow }) {
  const look = () => ({
    received: sum(groups, "received"),
    answered: sum(loads, "answered"),
    bytes: sum(groups, "bytes"),
    packets: sum(groups, "packets"),
  });
  await sleep(options.warmup * 1000);
  const from = look();
  const windowFrom = monotonicMicroseconds();
  const close = open();
  await sleep(options.window * 1000);
  const window = close();
  onWindow?.(windowFrom, monotonicMicroseconds());
  for (const load of loads) load.stop();
  const to = look();
  const deliveries = to.received - from.received;
  return figures(deliveries, window, {
    eventsPerWallSecond: (to.answered - from.answered) / window.wall,
    bytesPerDelivery: (to.bytes - from.bytes) / deliveries,
    deliveriesPerPacket: deliveries / (to.packets - from.packets),
  });
}
