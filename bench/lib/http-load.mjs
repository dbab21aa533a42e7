/** Cheap HTTP/1.1 callers on keep-alive connections: whole requests as one string, answers read by status and Content-Length. */
import { connect } from "node:net";

/** How long an answer may take until the run fails. The service's own deadline for a write is shorter. */
const ANSWER_DEADLINE_MS = 30_000;

const HEAD_END = Buffer.from("\r\n\r\n");

/** One keep-alive connection with at most one request under way. */
class Caller {
  waiting = null;

  constructor(port, head) {
    this.port = port;
    this.requestHead = head;
    this.connect();
  }

  connect() {
    this.chunks = [];
    this.size = 0;
    this.head = null;
    this.socket = connect({ port: this.port, host: "127.0.0.1", noDelay: true });
    this.socket.on("data", (chunk) => this.read(chunk));
    this.socket.on("error", (error) => this.fail(error));
    this.socket.on("close", () => this.fail(new Error("The server closed a caller's connection")));
  }

  /** Sends a JSON text; resolves with `{ status, text }`. */
  send(body) {
    // A server may close a connection that it thinks idle, and does so within seconds to one that has not asked for anything yet.
    if (!this.socket.writable) this.connect();
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject, since: performance.now() };
      this.socket.write(`${this.requestHead}${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
  }

  fail(error) {
    this.waiting?.reject(error);
    this.waiting = null;
  }

  read(chunk) {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.head === null) {
      const data = this.chunks.length === 1 ? chunk : Buffer.concat(this.chunks);
      this.chunks = [data];
      const end = data.indexOf(HEAD_END);
      if (end === -1) return;
      const text = data.toString("latin1", 0, end);
      const length = /\r\ncontent-length: *(\d+)/i.exec(text);
      if (length === null) return this.fail(new Error(`An answer without Content-Length: ${text}`));
      this.head = { status: Number(text.slice(9, 12)), start: end + 4, end: end + 4 + Number(length[1]) };
    }
    if (this.size < this.head.end) return;
    const data = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
    const { status, start, end } = this.head;
    this.chunks = [];
    this.size = 0;
    this.head = null;
    const waiting = this.waiting;
    this.waiting = null;
    waiting?.resolve({ status, text: data.toString("utf8", start, end) });
  }
}

/**
 * Sends a body whenever one is due, until `seconds` have passed, without waiting for answers, and resolves when all are answered. A body for
 * which no caller is free waits for one, on the clock. `gap()`: milliseconds from one to the next; `makeBody(due)`: its text.
 */
async function sendWhenDue({ callers, seconds, gap, makeBody, onAnswer }) {
  const idle = [...callers];
  const queue = [];
  const end = performance.now() + seconds * 1000;
  let under = 0;
  let failure = null;
  const send = (caller, body) => {
    under++;
    caller
      .send(body)
      .then((answer) => {
        onAnswer(answer);
        const waiting = queue.shift();
        if (waiting === undefined) idle.push(caller);
        else send(caller, waiting);
      })
      .catch((error) => {
        failure ??= error;
      })
      .finally(() => {
        under--;
      });
  };
  let due = performance.now();
  while (performance.now() < end || under > 0) {
    if (failure !== null) throw failure;
    for (; due < end && due <= performance.now(); due += gap()) {
      const body = makeBody(due);
      if (idle.length > 0) send(idle.pop(), body);
      else queue.push(body);
    }
    await new Promise(setImmediate);
  }
}

/** Callers of one route, such as `PUT /v1/topics/x`, of which every answer must have the status `expected`. */
export class RouteLoad {
  /** Requests answered. */
  answered = 0;

  constructor({ port, key, route, expected, callers }) {
    const head =
      `${route} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n` +
      "Connection: keep-alive\r\nContent-Length: ";
    this.route = route;
    this.expected = expected;
    this.callers = Array.from({ length: callers }, () => new Caller(port, head));
    this.watch = setInterval(() => this.failLate(), 1000);
  }

  /** Sends one body and resolves with the text of its answer. */
  async one(body) {
    return this.taken(await this.callers[0].send(body));
  }

  /** Sends `rate` bodies a second for `seconds`, evenly; `onAnswer(text)` hears of each answer. */
  steady({ rate, seconds, makeBody, onAnswer = () => undefined }) {
    return sendWhenDue({
      callers: this.callers,
      seconds,
      gap: () => 1000 / rate,
      makeBody,
      onAnswer: (answer) => onAnswer(this.taken(answer)),
    });
  }

  failLate() {
    const late = this.callers.filter(({ waiting }) => waiting !== null && performance.now() - waiting.since > ANSWER_DEADLINE_MS);
    for (const caller of late) {
      caller.fail(new Error(`${late.length} requests had no answer after ${ANSWER_DEADLINE_MS / 1000} s; ${this.answered} were answered`));
    }
  }

  close() {
    clearInterval(this.watch);
    for (const caller of this.callers) caller.socket.destroy();
  }

  taken({ status, text }) {
    if (status !== this.expected) throw new Error(`${this.route} answered ${status}: ${text.slice(0, 500)}`);
    this.answered++;
    return text;
  }
}

/** Callers of `POST /v1/events` that remember who must have been told. */
export class EventLoad extends RouteLoad {
  /** Notifications that the answers name. */
  notified = 0;
  /** How many of them each member must receive. */
  expectedOf = new Map();
  stopped = false;

  /** `makeEvent(n)` gives the JSON text of the nth event. */
  constructor({ makeEvent, ...options }) {
    super({ ...options, route: "POST /v1/events", expected: 202 });
    this.makeEvent = makeEvent;
    this.next = 0;
  }

  /** Every caller posts one event after the other until `stop` or until `limit` events were posted; resolves when all are answered. */
  async saturate(limit = Number.POSITIVE_INFINITY) {
    await Promise.all(
      this.callers.map(async (caller) => {
        while (!this.stopped && this.next < limit) this.count(await caller.send(this.makeEvent(this.next++)));
      }),
    );
  }

  /**
   * Posts `rate` events a second for `seconds`, at random moments, and resolves when all are answered. `onSchedule(n, at)` tells when the nth
   * event was due, which is what a latency is counted from.
   */
  scheduled({ rate, seconds, random, onSchedule }) {
    const makeBody = (due) => {
      const n = this.next++;
      onSchedule(n, due);
      return this.makeEvent(n);
    };
    const gap = () => (-Math.log(1 - random()) * 1000) / rate;
    return sendWhenDue({ callers: this.callers, seconds, gap, makeBody, onAnswer: (answer) => this.count(answer) });
  }

  stop() {
    this.stopped = true;
  }

  count(answered) {
    const text = this.taken(answered);
    const answer = JSON.parse(text);
    if (answer.duplicate) throw new Error(`A new event was taken for a duplicate: ${text.slice(0, 200)}`);
    for (const { user } of answer.notified) this.expectedOf.set(user, (this.expectedOf.get(user) ?? 0) + 1);
    this.notified += answer.notified.length;
  }
}
