import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { Member, tokenFor, until } from "../support/member.js";
import { mongoUrl } from "../support/mongo-url.js";
import { sharedRedis } from "../support/redis.js";
import { type Environment, type Service, startService } from "../support/service.js";
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from "../unit/telemetry/otlp-receiver.js";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const CALLER = "b7ad6b7169203331";
const TRACEPARENT = `00-${TRACE}-${CALLER}-01`;

/** OTLP's numbers for kinds of spans. */
const [INTERNAL, SERVER, CONSUMER] = [1, 2, 5];

let collector: OtlpReceiver;
const services: Service[] = [];
const members: Member[] = [];

afterEach(() => {
  for (const member of members.splice(0)) member.disconnect();
});

async function start(env: Environment = {}): Promise<Service> {
  const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_BSP_SCHEDULE_DELAY: "50", ...env };
  const service = await startService({ env: traced });
  services.push(service);
  return service;
}

async function stopAll(): Promise<void> {
  await Promise.all(services.splice(0).map((service) => service.stop()));
  await collector.close();
}

async function arrives(service: Service, user: string): Promise<Member> {
  const member = new Member(user, { url: service.url, secret: service.jwtSecret }).connect();
  members.push(member);
  return member.ready();
}

/** Posts an event in which some are mentioned. */
function post(service: Service, id: string, mentions: string[], headers: Record<string, string> = {}): Promise<Response> {
  const comment = { id: `of-${id}`, excerpt: "…", mentions, quotes: [] };
  const event = { id, type: "comment.created", at: new Date().toISOString(), actor: { id: "1" }, thread: { id: "9", title: "T" }, comment };
  return fetch(`${service.url}/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${service.apiKey}`, "content-type": "application/json", ...headers },
    body: JSON.stringify(event),
  });
}

/** The spans with this name, once there are so many. */
async function spansNamed(name: string, count: number): Promise<ReceivedSpan[]> {
  const found = () => collector.spans.filter((span) => span.name === name);
  await until(
    () => `${count} spans ${name} (there are ${collector.spans.map((span) => span.name).join(", ")})`,
    () => found().length >= count,
  );
  return found();
}

describe("a trace", () => {
  let service: Service;

  beforeAll(async () => {
    collector = await startOtlpReceiver();
    service = await start({ NODE_NAME: "belfry-7" });
  });

  afterAll(stopAll);

  beforeEach(() => {
    collector.spans.length = 0;
  });

  it("of an event goes from its request over the decision and the append to every session", async () => {
    const [ada, again, bruno] = [await arrives(service, "ada"), await arrives(service, "ada"), await arrives(service, "bruno")];
    await post(service, "comment-1", ["ada", "bruno"], { traceparent: TRACEPARENT, "x-request-id": "forum-7" });
    await until("all have it", () => [ada, again, bruno].every((member) => member.applied.size === 1));
    const delivered = await spansNamed("deliver", 3);
    const [request] = await spansNamed("POST /v1/events", 1);
    const [decide] = await spansNamed("community decide", 1);
    const [append] = await spansNamed("stream append", 1);
    expect(request).toMatchObject({
      trace: TRACE,
      parent: CALLER,
      kind: SERVER,
      attributes: { "http.route": "/v1/events", "http.response.status_code": 202, "belfry.request": "forum-7" },
      resource: { "service.name": "belfry", "service.instance.id": "belfry-7" },
    });
    const part = { trace: TRACE, parent: request?.id };
    expect(decide).toMatchObject({ ...part, kind: INTERNAL });
    const batch = { "belfry.recipients": 2, "belfry.batch.rows": 2, "belfry.batch.publications": 1 };
    expect(append).toMatchObject({ ...part, kind: INTERNAL, attributes: { "belfry.event": "comment-1", ...batch } });
    expect(delivered.map(({ attributes }) => attributes["belfry.session"]).sort()).toEqual(
      [ada, again, bruno].map(({ socket }) => socket.id).sort(),
    );
    for (const span of delivered) expect(span).toMatchObject({ ...part, kind: CONSUMER });
    for (const span of [decide, append] as ReceivedSpan[]) {
      expect([span.name, span.start >= (request as ReceivedSpan).start, span.end >= span.start]).toEqual([span.name, true, true]);
    }
  });

  it("of each event is its own, of however many are stored together", async () => {
    const carla = await arrives(service, "carla");
    await Promise.all(Array.from({ length: 8 }, (_, n) => post(service, `many-${n}`, ["carla"])));
    await until("all have arrived", () => carla.applied.size === 8);
    const requests = await spansNamed("POST /v1/events", 8);
    const [appends, delivered] = [await spansNamed("stream append", 8), await spansNamed("deliver", 8)];
    expect(new Set(requests.map(({ trace }) => trace)).size).toBe(8);
    for (const span of [...appends, ...delivered]) {
      expect(requests.find(({ id }) => id === span.parent)?.trace).toBe(span.trace);
    }
    expect(new Set(delivered.map(({ trace }) => trace)).size).toBe(8);
  });

  it("of what a member does goes from the request by socket to the member's other devices", async () => {
    const [phone, desk] = [await arrives(service, "dora"), await arrives(service, "dora")];
    await post(service, "comment-2", ["dora"]);
    await until("both have it", () => phone.applied.size === 1 && desk.applied.size === 1);
    await phone.ask("read_all", {});
    await phone.ask("read", { ids: "none" });
    const [request] = await spansNamed("/notifications read_all", 1);
    const delivered = (await spansNamed("deliver", 4)).filter(({ trace }) => trace === request?.trace);
    expect(delivered.map(({ parent }) => parent)).toEqual([request?.id, request?.id]);
    expect(await spansNamed("/notifications read", 1)).toEqual([
      expect.objectContaining({
        parent: "",
        kind: SERVER,
        status: 0,
        attributes: expect.objectContaining({ "error.type": "bad_request" }),
      }),
    ]);
  });

  it("of a member is never the one that they ask for: only servers may", async () => {
    const token = tokenFor(service.jwtSecret, { sub: "emil" });
    const headers = { authorization: `Bearer ${token}`, traceparent: TRACEPARENT };
    expect((await fetch(`${service.url}/v1/me/notifications`, { headers })).status).toBe(200);
    expect((await post(service, "comment-3", [], { authorization: "Bearer not-a-key", traceparent: TRACEPARENT })).status).toBe(401);
    const [me] = await spansNamed("GET /v1/me/notifications", 1);
    const [refused] = await spansNamed("POST /v1/events", 1);
    expect([me?.parent, refused?.parent]).toEqual(["", ""]);
    expect(collector.spans.map(({ trace }) => trace)).not.toContain(TRACE);
  });
});

describe("a service with traces", () => {
  beforeEach(async () => {
    collector = await startOtlpReceiver();
  });

  afterEach(stopAll);

  it("sends its last spans before it stops, and none of probes", async () => {
    const service = await start({ OTEL_BSP_SCHEDULE_DELAY: "60000" });
    for (const path of ["/health", "/ready", "/metrics"]) await (await fetch(service.url + path)).arrayBuffer();
    await post(service, "comment-1", []);
    expect(collector.spans).toEqual([]);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    const names = collector.spans.map(({ name }) => name);
    expect(names).toContain("POST /v1/events");
    expect(names.filter((name) => name.startsWith("GET"))).toEqual([]);
  });

  it("works on where nobody takes them, and says so once", async () => {
    await collector.close();
    const service = await start({ OTEL_EXPORTER_OTLP_TIMEOUT: "200" });
    const ada = await arrives(service, "ada");
    const lost = async () =>
      Number(/^belfry_spans_total\{outcome="failed"\} (\d+)$/m.exec(await (await fetch(`${service.url}/metrics`)).text())?.[1]);
    for (let n = 1; n <= 3; n++) {
      const before = await lost();
      expect((await post(service, `comment-${n}`, ["ada"])).status).toBe(202);
      await until("it has arrived", () => ada.applied.size === n);
      await until("its spans are lost", async () => (await lost()) > before);
    }
    await service.stop();
    expect(service.output.match(/traces cannot be delivered/g)).toHaveLength(1);
  });

  it("stops in time where they hang", async () => {
    const service = await start();
    collector.mood = "hangs";
    await post(service, "comment-1", []);
    await until("the collector hangs", () => collector.requests.length > 0);
    const startedAt = Date.now();
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(Date.now() - startedAt).toBeLessThan(15_000);
  });

  it("refuses to start where the address is none", async () => {
    await expect(startService({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4318" } })).rejects.toThrow(
      /OTEL_EXPORTER_OTLP_ENDPOINT: it is not an address; expected one such as http:\/\/collector:4318\./,
    );
  });
});

describe("a trace over two nodes", () => {
  afterEach(stopAll);

  it("goes from the node that took the event to the sessions of the other", async () => {
    collector = await startOtlpReceiver();
    const both = { MONGODB_URL: mongoUrl("traces"), REDIS_URL: sharedRedis() };
    const one = await start({ ...both, NODE_NAME: "one" });
    const other = await start({ ...both, NODE_NAME: "other", JWT_SECRET: one.jwtSecret, API_KEYS: one.apiKey });
    other.keys = one.keys;
    const [here, there] = [await arrives(one, "ada"), await arrives(other, "ada")];
    const count = async (service: Service) => (await (await fetch(`${service.url}/metrics`)).text()).match(/^belfry_peers (\d+)$/m)?.[1];
    await until("the nodes know each other", async () => (await count(one)) === "1" && (await count(other)) === "1");
    // Until the roster has told where the member is, the other node finds out by looking at the store, and nobody knows the trace there.
    let tries = 0;
    const traced = () => collector.spans.filter(({ name, resource }) => name === "deliver" && resource["service.instance.id"] === "other");
    await until("a trace has reached the other node", async () => {
      await post(one, `comment-${++tries}`, ["ada"], { traceparent: TRACEPARENT });
      await until("it has arrived", () => here.applied.size === tries && there.applied.size === tries);
      await spansNamed("POST /v1/events", tries);
      return traced().length > 0;
    });
    const [delivered] = traced();
    const request = collector.spans.find(({ id }) => id === delivered?.parent);
    expect(delivered).toMatchObject({ trace: TRACE, kind: CONSUMER, attributes: { "belfry.session": there.socket.id } });
    expect(request).toMatchObject({ trace: TRACE, parent: CALLER, name: "POST /v1/events", resource: { "service.instance.id": "one" } });
  });
});
