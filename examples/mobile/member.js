/**
 * A member's device with socket.io-client, for React Native and wherever else JavaScript runs: follows both streams by the client rule of
 * docs/PROTOCOL.md. It knows no framework; `useMember.js` beside it is the hook.
 *
 * @param {object} options
 * @param {typeof import("socket.io-client").io} options.io
 * @param {string} options.url The service, such as `https://notify.example`.
 * @param {() => string | Promise<string>} options.token The member's newest token.
 * @param {{ load(): Promise<Record<string, Cursor>>, save(cursors: Record<string, Cursor>): Promise<void> }} options.memory Where cursors
 *   are kept, such as AsyncStorage.
 * @param {(stream: string, items: object[], unread: number) => void} options.onSnapshot How a stream looks now: replaces all that is shown.
 * @param {(stream: string, entry: { seq: number, kind: string, data: object }) => void} options.onEntry Each entry once, in order.
 * @param {(status: string) => void} [options.onStatus] `connected`, `away`, or the code with which it is over.
 *
 * @typedef {{ epoch: string, seq: number }} Cursor
 */
export async function followMember({ io, url, token, memory, onSnapshot, onEntry, onStatus = () => {} }) {
  const kept = await memory.load();
  const begin = (name) => [name, { cursor: kept[name] ?? null, held: new Map(), catchingUp: false }];
  const streams = new Map(["inbox", "announcements"].map(begin));
  const socket = io(`${url}/notifications`, {
    transports: ["websocket"],
    reconnectionDelay: 1000,
    reconnectionDelayMax: 5000,
    auth: async (give) => give({ token: await token(), cursors: Object.fromEntries(cursors()) }),
  });

  function cursors() {
    return [...streams].flatMap(([name, { cursor }]) => (cursor === null ? [] : [[name, cursor]]));
  }

  let saving = Promise.resolve();
  /** One after the other, so that an older state never overwrites a newer one. */
  function keep() {
    saving = saving.then(() => memory.save(Object.fromEntries(cursors()))).catch(() => {});
  }

  socket.on("snapshot", ({ stream: name, epoch, seq, unread, items }) => {
    const stream = streams.get(name);
    if (stream === undefined) return;
    onSnapshot(name, items, unread);
    stream.cursor = { epoch, seq };
    stream.held.clear();
    keep();
  });

  socket.on("entries", ({ stream, epoch, entries }) => take(stream, epoch, entries));

  socket.on("synced", ({ stream: name, epoch, seq }) => {
    const cursor = streams.get(name)?.cursor;
    if (cursor?.epoch === epoch && cursor.seq < seq) catchUp(name);
  });

  socket.on("connect", () => onStatus("connected"));

  socket.on("disconnect", () => {
    for (const stream of streams.values()) {
      stream.held.clear();
      stream.catchingUp = false;
    }
    onStatus("away");
  });

  // After a refusal Socket.IO does not come back by itself. Without `data` nobody was reached, and it goes on trying.
  socket.on("connect_error", ({ data }) => {
    if (data === undefined) return;
    if (data.retry) setTimeout(() => socket.connect(), data.retryAfterMs ?? 1000 + Math.random() * 4000);
    else onStatus(data.code);
  });

  socket.on("goodbye", ({ code, reconnect }) => {
    if (!reconnect) onStatus(code);
  });

  function take(name, epoch, entries) {
    const stream = streams.get(name);
    if (stream === undefined || stream.cursor?.epoch !== epoch) return;
    for (const entry of entries) stream.held.set(entry.seq, entry);
    for (;;) {
      const entry = stream.held.get(stream.cursor.seq + 1);
      if (entry === undefined) break;
      stream.cursor = { epoch, seq: entry.seq };
      onEntry(name, entry);
    }
    for (const seq of stream.held.keys()) if (seq <= stream.cursor.seq) stream.held.delete(seq);
    keep();
    if (stream.held.size > 0) catchUp(name);
  }

  async function catchUp(name) {
    const stream = streams.get(name);
    if (stream.catchingUp) return;
    stream.catchingUp = true;
    for (let more = true; more && stream.catchingUp; ) {
      const { cursor } = stream;
      const answer = await socket
        .timeout(10_000)
        .emitWithAck("sync", { stream: name, after: cursor })
        .catch(() => null);
      // Another connection has begun meanwhile, which goes on from the cursor.
      if (answer === null || !stream.catchingUp) return;
      if (answer.ok) {
        take(name, cursor.epoch, answer.entries);
        more = answer.more;
      } else if (answer.error.code === "reset") {
        stream.cursor = null;
        socket.disconnect().connect();
      } else await new Promise((resolve) => setTimeout(resolve, answer.error.retryAfterMs ?? 1000));
    }
    stream.catchingUp = false;
  }

  return {
    /** Marks as read; resolves with `{ ok, seq, unread }` or `{ ok: false, error }`. The mark comes as an entry, too. */
    read: (ids) => socket.timeout(10_000).emitWithAck("read", { ids }),
    /** All that is on the screen was seen: then no push comes for it. */
    seen: () => socket.timeout(10_000).emitWithAck("seen", {}),
    /** The app has come to the front: a connection that the system has frozen is not waited for. */
    wake: () => socket.disconnect().connect(),
    stop: () => socket.disconnect(),
  };
}
