import { type AdapterClient, type AdapterListener, Rubbish } from "../types.js";
import type { Listener, Subscriptions } from "./subscriptions.js";

/** Bytes of a request between adapters. Threat: a peer's request of any size is decoded twice in one turn of the event loop. */
const MAX_REQUEST_BYTES = 1024 * 1024;

/** How the adapter numbers an event for the other servers, the one request that Belfry's nodes make of each other. */
const SERVER_SIDE_EMIT = 6;

/** Events that mean something to Socket.IO itself: the sender's library would not send them, but nothing stops a peer that has none. */
const RESERVED_EVENTS = new Set(["connect", "connection", "new_namespace"]);

export interface AdapterClientsOptions {
  publish(channel: string, message: string | Buffer): boolean;
  subscriptions: Subscriptions;
  /** Called after something was added to `subscriptions`. */
  onAdded(): void;
}

/**
 * The two clients of @socket.io/redis-adapter. It takes no notice of what its promises say, so these say nothing; and it decodes in an async
 * function what comes on the channels that it subscribes to, out of which an error ends the process. So whatever comes there is looked at
 * first, and nothing passes but what Belfry's own nodes send: events for the other servers, without an answer. What comes by patterns
 * (packets for clients) is decoded at once, and its errors are caught as any other listener's.
 */
export function adapterClientsOf({ publish, subscriptions, onAdded }: AdapterClientsOptions): { pub: AdapterClient; sub: AdapterClient } {
  // The adapter removes what it has added, by the function that it gave.
  const vetted = new WeakMap<AdapterListener, Listener>();
  const client: AdapterClient = {
    async publish(channel, message) {
      publish(channel, typeof message === "string" ? message : Buffer.from(message.buffer, message.byteOffset, message.byteLength));
      return 0;
    },
    async subscribe(channels, listener) {
      const check: Listener = (message, channel) => {
        checkRequest(message);
        listener(message, channel);
      };
      vetted.set(listener, check);
      for (const channel of [channels].flat()) subscriptions.add("channel", channel, check);
      onAdded();
    },
    async unsubscribe(channels, listener) {
      for (const channel of [channels].flat()) subscriptions.remove("channel", channel, listener && vetted.get(listener));
    },
    async pSubscribe(patterns, listener) {
      for (const pattern of [patterns].flat()) subscriptions.add("pattern", pattern, listener);
      onAdded();
    },
    async pUnsubscribe(patterns, listener) {
      for (const pattern of [patterns].flat()) subscriptions.remove("pattern", pattern, listener);
    },
    // It listens to errors only to warn where nobody else does. There are none here.
    on: () => client,
    off: () => client,
    listenerCount: () => 0,
  };
  return { pub: client, sub: client };
}

/** @throws Rubbish for anything but an event for the other servers without an answer. */
function checkRequest(message: Buffer): void {
  if (message.length > MAX_REQUEST_BYTES) throw new Rubbish("a request is too long");
  let request: unknown;
  try {
    request = JSON.parse(message.toString());
  } catch {
    throw new Rubbish("a request is not JSON");
  }
  if (typeof request !== "object" || request === null) throw new Rubbish("a request is no object");
  const { type, uid, data, requestId } = request as Record<string, unknown>;
  if (type !== SERVER_SIDE_EMIT || typeof uid !== "string" || requestId !== undefined)
    throw new Rubbish("a request is none that nodes make");
  const event: unknown = Array.isArray(data) ? data[0] : undefined;
  if (typeof event !== "string" || RESERVED_EVENTS.has(event)) throw new Rubbish("an event for the other servers has no name of its own");
}
