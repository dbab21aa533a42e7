import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import pino from "pino";
import { io, Manager, type Socket } from "socket.io-client";
import { Announcements } from "../../../src/announcements/index.js";
import { createTokenVerifier } from "../../../src/auth/index.js";
import { Community } from "../../../src/community/index.js";
import { Members } from "../../../src/members/index.js";
import { Messages } from "../../../src/messages/index.js";
import { Moderation } from "../../../src/moderation/index.js";
import { Preferences } from "../../../src/preferences/index.js";
import { Presence } from "../../../src/presence/index.js";
import { Realtime } from "../../../src/realtime/index.js";
import { Tasks } from "../../../src/tasks/index.js";
import { createMetrics } from "../../../src/telemetry/index.js";
import { Topics } from "../../../src/topics/index.js";
import { openEmbedded } from "../../support/embedded.js";
import { tokenFor, until } from "../../support/member.js";
import { RawSocket } from "../../support/raw.js";
import type { Service } from "../../support/service.js";

type RealtimeOptions = ConstructorParameters<typeof Realtime>[0];

const SECRET = "a secret of at least thirty-two bytes";

interface Answer extends Record<string, unknown> {
  ok: boolean;
  error?: { code: string; message: string };
}

/** A connection to one namespace that writes down what it hears. */
export class Client {
  /** Everything that came, in order. */
  readonly heard: Array<{ event: string; payload: Record<string, never> }> = [];
  refusal: { code: string; message: string } | null = null;

  constructor(readonly socket: Socket) {
    socket.onAny((event, payload) => this.heard.push({ event, payload }));
    socket.on("connect_error", (error) => {
      this.refusal = (error as Error & { data: { code: string; message: string } }).data;
    });
  }

  /** The payloads of one event. */
  all(event: string): Array<Record<string, never>> {
    return this.heard.filter((one) => one.event === event).map(({ payload }) => payload);
  }

  async hears(event: string, times = 1): Promise<Record<string, never>> {
    await until(
      () => `${event}, ${times} times; heard ${this.heard.map((one) => one.event).join(" ")}, refused: ${this.refusal?.code}`,
      () => this.all(event).length >= times,
    );
    return this.all(event)[times - 1] as Record<string, never>;
  }

  /** Resolves when both streams of `/notifications` are synced. */
  async ready(): Promise<this> {
    await this.hears("synced", 2);
    return this;
  }

  async connected(): Promise<this> {
    await until(
      () => `a connection; refused: ${this.refusal?.message}`,
      () => this.socket.connected,
    );
    return this;
  }

  async isRefused(): Promise<string> {
    await until("a refusal", () => this.refusal !== null);
    return this.refusal?.code ?? "";
  }

  ask(event: string, payload?: unknown): Promise<Answer> {
    return this.socket.timeout(10_000).emitWithAck(event, payload);
  }
}

/** The three namespaces on a server of their own, over an embedded store. `nodes`: the other nodes; there are none unless given. */
export async function startRealtime({
  nodes = null,
  sessionPolicy = "multi",
}: Partial<Pick<RealtimeOptions, "nodes"> & RealtimeOptions["config"]> = {}) {
  const embedded = await openEmbedded();
  const { stores, log, inbox } = embedded;
  const onError = (error: unknown): void => {
    throw error;
  };
  const known = new Members({ store: stores.members, wasTold: async () => false, onError });
  const state = { arriving: async (): Promise<void> => {} };
  // What comes between a handshake's look at a member and the session's beginning.
  const members = Object.assign(Object.create(known) as Members, {
    arrive: async (identity: Parameters<Members["arrive"]>[0]) => {
      const member = await known.arrive(identity);
      await state.arriving();
      return member;
    },
    find: known.find.bind(known),
    require: known.require.bind(known),
    page: known.page.bind(known),
  });
  const preferences = new Preferences({ store: stores.preferences, members: known });
  const community = new Community({ publisher: log, inbox, subjects: stores.subjects, preferences, acquaintances: known });
  const notify = community.notify.bind(community);
  const announcements = new Announcements({ log, store: stores.announcements, members: known, inbox, onError });
  const moderation = new Moderation({ log, streams: stores.streams, members: known, onError });
  const tasks = new Tasks({ store: stores.tasks, notify, told: community.told.bind(community), onError });
  const presence = new Presence();
  await preferences.load();
  await announcements.start();
  await moderation.start();
  const httpServer = createServer();
  const realtime = new Realtime({
    httpServer,
    config: { allowedOrigins: [], sessionPolicy, guests: true },
    log,
    inbox,
    inboxStore: stores.inbox,
    members,
    announcements,
    moderation,
    messages: new Messages({ notify, members: known, preferences }),
    preferences,
    tasks,
    topics: new Topics({ store: stores.topics }),
    presence,
    nodes,
    verifier: createTokenVerifier({
      tokenKeys: { kind: "secret", secret: new TextEncoder().encode(SECRET) },
      jwtIssuer: null,
      jwtAudience: null,
    }),
    addressOf: () => "192.0.2.7",
    metrics: createMetrics(),
    logger: pino({ level: "silent" }),
  });
  await new Promise<void>((resolve) => httpServer.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(httpServer.address() as AddressInfo).port}`;
  const clients: Client[] = [];
  const raws: RawSocket[] = [];

  function add(socket: Socket): Client {
    const client = new Client(socket);
    clients.push(client);
    return client;
  }
  const tokenOf = (user: string, roles: string[] = []) => tokenFor(SECRET, { sub: user, roles });

  return {
    embedded,
    state,
    members: known,
    announcements,
    moderation,
    tasks,
    presence,
    realtime,
    tokenOf,
    /** A connection of its own. */
    connect(
      namespace: string,
      user: string,
      { roles = [], ...auth }: { roles?: string[]; cursors?: object; device?: string } = {},
    ): Client {
      const options = { forceNew: true, transports: ["websocket"], reconnection: false };
      return add(io(`${url}${namespace}`, { ...options, auth: { token: tokenOf(user, roles), ...auth } }));
    },
    /** Several namespaces over one connection. */
    connectAll(namespaces: string[], user: string, roles: string[] = []): Client[] {
      const manager = new Manager(url, { transports: ["websocket"], reconnection: false });
      return namespaces.map((namespace) => add(manager.socket(namespace, { auth: { token: tokenOf(user, roles) } })));
    },
    async raw(): Promise<RawSocket> {
      const raw = await RawSocket.open({ url } as Service);
      raws.push(raw);
      return raw;
    },
    /** Announces as the server; resolves with the id. */
    async announce(fields: object = {}): Promise<string> {
      const payload = { title: "Maintenance", text: "Tonight.", ...fields };
      return (await announcements.announce("server", payload, async () => {})).announcement.id;
    },
    async stop() {
      for (const { socket } of clients) socket.disconnect();
      for (const raw of raws) raw.drop();
      await realtime.close();
      presence.close();
      await announcements.stop();
      await moderation.stop();
      await known.close();
      await embedded.close();
    },
  };
}

export type RealtimeServer = Awaited<ReturnType<typeof startRealtime>>;
