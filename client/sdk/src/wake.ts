import { isVisible, listen, platform } from "./platform.js";

/** How often the clock is looked at. Milliseconds. */
const TICK_MS = 5_000;

/** A tick that is so late tells of a device that slept. A hidden page's timers are slowed down to one a minute. Milliseconds. */
const SLEPT_MS = 70_000;

/** Calls the listener when the connection may have died unnoticed: after sleep, on another network, when the page is looked at again. */
export function onWake(listener: () => void): () => void {
  let last = Date.now();
  const timer = setInterval(() => {
    const now = Date.now();
    if (now - last > SLEPT_MS) listener();
    last = now;
  }, TICK_MS);
  const unlisten = [
    listen(platform, ["online", "pageshow"], listener),
    listen(platform.document, ["visibilitychange", "resume"], () => isVisible() && listener()),
  ];
  return () => {
    clearInterval(timer);
    for (const end of unlisten) end();
  };
}
