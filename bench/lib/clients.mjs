/**
 * Members that cost the load generator next to nothing: WebSocket, Engine.IO 4 and Socket.IO 5 spoken by hand over a bare TCP socket. They
 * count entries by searching bytes, and parse a packet only where a latency is asked for.
 */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { sleep } from "./clock.mjs";

const OPCODE_TEXT = 1;
const OPCODE_CLOSE = 8;
const OPCODE_PING = 9;
const OPCODE_PONG = 10;

/** How many members connect at a time. */
const CONNECT_BATCH = 50;

/** How long a member may take to be ready until the run fails. */
const CONNECT_DEADLINE_MS = 30_000;

/** A client's frame: masked, as RFC 6455 demands; with the mask zero the payload stays as it is. */
function frame(opcode, payload) {
  const body = Buffer.from(payload);
  const long = body.length > 125;
  const head = Buffer.alloc(long ? 8 : 6);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (long ? 126 : body.length);
  if (long) head.writeUInt16BE(body.length, 2);
  return Buffer.concat([head, body]);
}

const PONG_PACKET = frame(OPCODE_TEXT, "3");

function occurrences(haystack, needle) {
  let count = 0;
  for (let at = haystack.indexOf(needle); at !== -1; at = haystack.indexOf(needle, at + needle.length)) count++;
  return count;
}

/** What the members of one server have in common, and the sum of what they received. */
export class Members {
  /** Entries received by all members. */
  received = 0;
  /** Bytes of the packets that carried them. */
  bytes = 0;
  /** Packets that carried them. */
  packets = 0;
  /** Called with each parsed packet's payload while it is set; parsing costs too much where the load is high. */
  onPayload = null;
  /** Called with the bytes of every packet but the heartbeat's, while it is set. */
  onPacket = null;
  /** Set while members may lose their connection, as at the end of a run. */
  closing = false;
  members = [];

  /**
   * `dialect`: `namespace` ("" for the main one, else such as "/notifications,"), `event` (the event that carries entries), `marker` (bytes
   * that occur once an entry; null when a packet is one entry), `ready` (the packet, by its beginning, after which a member counts as
   * connected).
   */
  constructor(port, dialect) {
    this.port = port;
    this.dialect = dialect;
    this.eventStart = Buffer.from(`42${dialect.namespace}["${dialect.event}",`);
    this.marker = dialect.marker === null ? null : Buffer.from(dialect.marker);
    this.readyStart = Buffer.from(dialect.ready);
    this.refusedStart = Buffer.from(`44${dialect.namespace}`);
  }

  /** Connects one member for each `{ user, auth }`, a few at a time, and waits until all are ready. Who is refused asks again when told to. */
  async connect(accounts) {
    for (let at = 0; at < accounts.length; at += CONNECT_BATCH) {
      await Promise.all(accounts.slice(at, at + CONNECT_BATCH).map((account) => this.joinWhenTold(account)));
    }
  }

  /** Connects one member; it counts as one of these when it is ready. Rejects with an Error whose `data` is the server's, where it refused. */
  async join({ user, auth }) {
    const member = new Member(this, user, auth);
    try {
      await member.ready;
    } catch (error) {
      member.socket.destroy();
      throw error;
    }
    this.members.push(member);
  }

  async joinWhenTold(account) {
    const deadline = performance.now() + CONNECT_DEADLINE_MS;
    for (;;) {
      try {
        return await this.join(account);
      } catch (error) {
        if (error.data?.retryAfterMs === undefined || performance.now() > deadline) throw error;
        await sleep(error.data.retryAfterMs);
      }
    }
  }

  /** Entries received, by member. */
  counts() {
    return new Map(this.members.map((member) => [member.user, member.received]));
  }

  close() {
    this.closing = true;
    for (const member of this.members) member.socket.destroy();
  }

  /** One whole Engine.IO packet for `member`. */
  packet(member, data) {
    if (data.length === 1 && data[0] === 0x32) {
      member.socket.write(PONG_PACKET);
      return;
    }
    this.onPacket?.(data);
    if (startsWith(data, this.eventStart)) {
      const entries = this.marker === null ? 1 : occurrences(data, this.marker);
      member.received += entries;
      this.received += entries;
      this.bytes += data.length;
      this.packets++;
      if (this.onPayload !== null) this.onPayload(JSON.parse(data.toString("utf8", 2 + this.dialect.namespace.length))[1]);
    } else if (data[0] === 0x30) {
      member.socket.write(frame(OPCODE_TEXT, `40${this.dialect.namespace}${JSON.stringify(member.auth)}`));
    } else if (startsWith(data, this.readyStart)) {
      member.settle();
    } else if (startsWith(data, this.refusedStart)) {
      const refusal = data.toString("utf8", this.refusedStart.length);
      const error = new Error(`The server refused ${member.user}: ${refusal.slice(0, 500)}`);
      member.settle(Object.assign(error, { data: JSON.parse(refusal).data }));
    }
  }
}

function startsWith(data, start) {
  return data.length >= start.length && data.compare(start, 0, start.length, 0, start.length) === 0;
}

class Member {
  received = 0;
  rest = null;
  upgraded = false;
  /** Frames read and not taken yet, of a member that takes them one by one; else null. */
  untaken = null;

  constructor(owner, user, auth) {
    this.owner = owner;
    this.user = user;
    this.auth = auth;
    this.ready = new Promise((resolve, reject) => {
      const late = () => reject(new Error(`${user} was not ready after ${CONNECT_DEADLINE_MS / 1000} s`));
      const timer = setTimeout(late, CONNECT_DEADLINE_MS);
      this.settle = (error) => {
        clearTimeout(timer);
        if (error === undefined) resolve();
        else reject(error);
      };
    });
    this.socket = connect({ port: owner.port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (chunk) => this.read(chunk));
    this.socket.on("error", (error) => this.settle(error));
    this.socket.on("close", () => this.lost());
    this.socket.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:${owner.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`,
    );
  }

  /** Sends an event of Socket.IO that asks for an answer, which comes as a packet that begins with `43`, the namespace and `id`. */
  ask(id, event, payload) {
    this.socket.write(frame(OPCODE_TEXT, `42${this.owner.dialect.namespace}${id}${JSON.stringify([event, payload])}`));
  }

  /** From now on takes one frame each `ms` milliseconds, and reads on only when it has taken all that it has. */
  takeOneEvery(ms) {
    this.untaken = [];
    const timer = setInterval(() => {
      const next = this.untaken.shift();
      if (next !== undefined) this.frame(next.opcode, next.payload);
      if (this.untaken.length === 0) this.socket.resume();
    }, ms);
    this.socket.once("close", () => clearInterval(timer));
  }

  lost() {
    this.settle(new Error(`${this.user} lost its connection before it was ready`));
    if (!this.owner.closing && this.owner.members.includes(this)) this.owner.onLost?.(this.user);
  }

  read(chunk) {
    let data = this.rest === null ? chunk : Buffer.concat([this.rest, chunk]);
    this.rest = null;
    if (!this.upgraded) {
      const end = data.indexOf("\r\n\r\n");
      if (end === -1) {
        this.rest = data;
        return;
      }
      if (!data.toString("latin1", 0, 12).endsWith("101")) {
        this.settle(new Error(`The upgrade of ${this.user} was refused: ${data.toString("latin1", 0, 300)}`));
        this.socket.destroy();
        return;
      }
      this.upgraded = true;
      data = data.subarray(end + 4);
    }
    this.frames(data);
  }

  /** Takes the whole frames off `data` and keeps the rest. A server's frames are not masked, and these servers do not fragment. */
  frames(data) {
    let at = 0;
    while (data.length - at >= 2) {
      let length = data[at + 1];
      let start = at + 2;
      if (length === 126) {
        if (data.length - at < 4) break;
        length = data.readUInt16BE(at + 2);
        start = at + 4;
      } else if (length === 127) {
        if (data.length - at < 10) break;
        length = Number(data.readBigUInt64BE(at + 2));
        start = at + 10;
      }
      if (data.length < start + length) break;
      const opcode = data[at] & 15;
      const payload = data.subarray(start, start + length);
      if (this.untaken === null) this.frame(opcode, payload);
      else this.untaken.push({ opcode, payload });
      at = start + length;
    }
    if (this.untaken !== null && this.untaken.length > 0) this.socket.pause();
    if (at < data.length) this.rest = data.subarray(at);
  }

  frame(opcode, payload) {
    if (opcode === OPCODE_TEXT) this.owner.packet(this, payload);
    else if (opcode === OPCODE_PING) this.socket.write(frame(OPCODE_PONG, payload));
    else if (opcode === OPCODE_CLOSE) this.socket.destroy();
    else throw new Error(`${this.user} got a WebSocket frame of opcode ${opcode}, which this load generator does not speak`);
  }
}
