/**
 * Baselines (c) and (e): Socket.IO alone, no store and no HTTP.
 *
 * (c): every user has a room; on "start" it emits one payload to room after room until "stop". It is told how many arrived, and never has
 * more than `WINDOW` under way: without that it would only fill buffers.
 *
 * (e): on "broadcast", which names a seq, it emits one announcement to all in the namespace of the notifications.
 */
import { createServer } from "node:http";
import { Server } from "socket.io";
import { memberName, samplePayload, samplePayloadOfAnnouncement } from "../lib/events.mjs";

/** Emissions under way at most: far more than arrive between two messages about what has arrived. */
const WINDOW = 640;
/** Emissions between two turns of the event loop, so that the sockets are served. */
const BATCH = 100;

const http = createServer();
const io = new Server(http, { serveClient: false });
io.on("connection", (socket) => socket.join(socket.handshake.auth.user));
const everybody = io.of("/notifications");

const payload = samplePayload();
let running = false;
let sent = 0;
let arrived = 0;
let next = 0;
let members = 0;

function emit() {
  if (!running) return;
  for (let i = 0; i < BATCH && sent - arrived < WINDOW; i++) {
    payload.entries[0].seq = sent;
    io.to(memberName(next)).emit("entries", payload);
    next = (next + 1) % members;
    sent++;
  }
  if (sent - arrived < WINDOW) setImmediate(emit);
  else setTimeout(emit, 1);
}

process.on("message", (message) => {
  if (message.arrived !== undefined) {
    arrived = message.arrived;
  } else if (message.broadcast !== undefined) {
    everybody.emit("entries", samplePayloadOfAnnouncement(message.broadcast));
  } else if (message.start !== undefined) {
    members = message.start.members;
    running = true;
    emit();
  } else {
    running = false;
    process.send({ sent });
  }
});
process.on("SIGTERM", () => process.exit(0));
http.listen(0, "127.0.0.1", () => process.stdout.write(`listening on http://127.0.0.1:${http.address().port}\n`));
