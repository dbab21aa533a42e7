import type { Loopback, LoopbackLink } from "./loopback-link.js";

const CHANNELS = "belfry:0123456789abcdef:";

let made = 0;

/** What a node of the usual deployment would say, message by message: also what no node would say. */
export class RawPeer {
  readonly node = `raw-peer-${String(made++).padStart(7, "0")}`;
  readonly link: LoopbackLink;
  /** The number of the last message on each channel. */
  readonly sent = new Map<string, number>();
  /** What came for this peer, and what went to all. */
  readonly heard: Array<{ from: string; n: number; k: string; d: Record<string, unknown> }> = [];

  constructor(loopback: Loopback) {
    this.link = loopback.link();
    const keep = (text: string) => {
      // Rubbish comes from peers like this one, and so do own messages.
      if (!text.startsWith('{"v":1,"from":"') || text.startsWith(`{"v":1,"from":"${this.node}"`)) return;
      this.heard.push(JSON.parse(text));
    };
    this.link.subscribe(`${CHANNELS}all`, keep);
    this.link.subscribe(`${CHANNELS}node:${this.node}`, keep);
  }

  /** Messages of one kind that have been heard. */
  of(kind: string): Array<Record<string, unknown>> {
    return this.heard.filter(({ k }) => k === kind).map(({ d }) => d);
  }

  /** Sends a message to a node, or to all; `n` in place of the next number. */
  send(kind: string, data: unknown, to: string | null = null, n?: number): void {
    const channel = to === null ? "all" : `node:${to}`;
    const next = n ?? (this.sent.get(channel) ?? 0) + 1;
    this.sent.set(channel, next);
    this.raw(JSON.stringify({ v: 1, from: this.node, n: next, k: kind, d: data }), channel);
  }

  /** Any text at all. */
  raw(text: string, channel = "all"): void {
    this.link.publish(CHANNELS + channel, text);
  }

  /** Loses a message: its number is used, and nothing comes. */
  lose(to: string | null = null): void {
    const channel = to === null ? "all" : `node:${to}`;
    this.sent.set(channel, (this.sent.get(channel) ?? 0) + 1);
  }

  beat(more: Record<string, unknown> = {}): void {
    const sent = Object.fromEntries(
      [...this.sent].filter(([channel]) => channel !== "all").map(([channel, n]) => [channel.slice("node:".length), n]),
    );
    const at = Date.now();
    const said = { at, mark: at, name: this.node, version: "1.0.0", sessions: 0, roster: 0, draining: false, late: false };
    this.send("beat", { ...said, sent, knows: {}, ...more });
  }
}
