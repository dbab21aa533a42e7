/**
 * A process with a link to Redis and a Socket.IO server over it, built as the service is: `node redis-link-program.mjs REDIS_URL`. What ends it
 * would end the service. Tells its parent `{ ready: n }`, `{ refused: message }`, `{ rubbish: n }` and `{ value }` for each event "value" that
 * another server sends; does what the parent asks: `{ emit: value }`, `{ flood: true | false }` and `{ stop: true }`.
 */
import { createAdapter } from "@socket.io/redis-adapter";
import pino from "pino";
import { Server } from "socket.io";

// The compiled program, by its address: this file is checked where nothing is built.
const { openRedisLink } = await import(new URL("../../dist/src/cluster/redis/link.js", import.meta.url).href);
const { redisOf } = await import(new URL("../../dist/src/config/redis-url.js", import.meta.url).href);

/** Pause between two messages of a flood. Milliseconds. */
const FLOOD_MS = 5;

const say = (message) => process.send?.(message);
const target = redisOf({ MONGODB_URL: "mongodb://there/is", REDIS_URL: process.argv[2] });

const link = await openRedisLink(target, { log: pino({ level: "silent" }) }).catch((error) => {
  say({ refused: error.message });
  process.disconnect();
});
if (link !== undefined) serve(link);

function serve(link) {
  let [ready, rubbish] = [0, 0];
  link.onReady(() => say({ ready: ++ready }));
  link.onRubbish(() => say({ rubbish: ++rubbish }));

  const { pub, sub } = link.adapterClients();
  const io = new Server(0, { adapter: createAdapter(pub, sub, { key: "belfry:test:io" }) });
  const namespace = io.of("/notifications");
  namespace.on("value", (value) => say({ value }));
  namespace.on("connection", () => say({ connection: true }));

  let flood;
  process.on("message", ({ emit, flood: on, stop }) => {
    if (emit !== undefined) namespace.serverSideEmit("value", emit);
    clearInterval(flood);
    if (on) {
      flood = setInterval(() => {
        link.publish("belfry:test:flood", "x");
        namespace.serverSideEmit("flood", 1);
        namespace.to("room").emit("flood", 1);
      }, FLOOD_MS);
    }
    if (!stop) return;
    void io.close();
    void link.close().then(() => process.disconnect());
  });
}
