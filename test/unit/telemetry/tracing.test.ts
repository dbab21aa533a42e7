import { Writable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import pino from "pino";
import { startTracing } from "../../../src/telemetry/tracing.js";
import type { Tracing } from "../../../src/telemetry/types.js";
import { until } from "../../support/member.js";
import { type OtlpReceiver, startOtlpReceiver } from "./otlp-receiver.js";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`;

let receiver: OtlpReceiver;
let tracing: Tracing | null;
let lines: Array<{ msg: string }>;
let exported: Array<[count: number, taken: boolean]>;
const variables = { ...process.env };

beforeEach(async () => {
  receiver = await startOtlpReceiver();
  tracing = null;
  lines = [];
  exported = [];
});

afterEach(async () => {
  await tracing?.stop();
  await receiver.close();
  for (const name of Object.keys(process.env)) if (name.startsWith("OTEL_")) delete process.env[name];
  Object.assign(process.env, variables);
});

async function start(env: Record<string, string> = {}): Promise<Tracing> {
  Object.assign(process.env, { OTEL_BSP_SCHEDULE_DELAY: "10", OTEL_EXPORTER_OTLP_TIMEOUT: "300", ...env });
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)) as { msg: string });
      done();
    },
  });
  const config = { otlpEndpoint: new URL(receiver.endpoint), nodeName: "belfry-7" };
  tracing = await startTracing(config, pino({ level: "info" }, sink), (...how) => exported.push(how));
  if (tracing === null) throw new Error("there are no traces");
  return tracing;
}

const received = (count: number) => until(`${count} spans have arrived`, () => receiver.spans.length >= count);

describe("traces", () => {
  it("are off without a place for them", async () => {
    expect(await startTracing({ otlpEndpoint: null, nodeName: "x" }, pino({ level: "silent" }), () => {})).toBeNull();
  });

  it("arrive as OTLP, under the node's name, and go on from the caller's", async () => {
    const spans = await start();
    const request = spans.start("POST", { kind: "server", parent: PARENT, attributes: { a: "x", n: 3, yes: true } });
    const part = spans.start("part", { kind: "internal", parent: request.traceparent });
    part.fail("unavailable");
    part.end();
    request.rename("POST /v1/events");
    request.end();
    await received(2);
    expect(receiver.requests[0]).toMatchObject({ path: "/v1/traces", type: "application/x-protobuf" });
    const [inner, outer] = receiver.spans;
    expect(outer).toMatchObject({
      trace: TRACE,
      parent: "b7ad6b7169203331",
      name: "POST /v1/events",
      kind: 2,
      attributes: { a: "x", n: 3, yes: true },
    });
    expect(inner).toMatchObject({ trace: TRACE, parent: outer?.id, name: "part", kind: 1, status: 2 });
    expect(outer?.resource).toMatchObject({ "service.name": "belfry", "service.instance.id": "belfry-7" });
    expect(request.traceparent).toBe(`00-${TRACE}-${outer?.id}-01`);
    await until("both count as exported", () => exported.reduce((sum, [count, taken]) => sum + (taken ? count : 0), 0) === 2);
  });

  it("begin anew where what they are to go on from is no traceparent", async () => {
    const spans = await start();
    const strange = [
      PARENT.toUpperCase(),
      PARENT.replace("00-", "ff-"),
      `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
      `${PARENT}x`,
      "",
      "\n",
    ];
    for (const parent of strange) expect(spans.start("x", { kind: "server", parent }).traceparent).not.toContain(TRACE);
    fc.assert(
      fc.property(fc.string(), (parent) => {
        expect(spans.start("x", { kind: "server", parent }).traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
      }),
    );
    // A version that is not known yet may say more.
    expect(spans.start("x", { kind: "server", parent: `cc-${PARENT.slice(3)}-more` }).traceparent).toContain(TRACE);
  });

  it("are sampled as the standard variables say, and as the caller has decided", async () => {
    const spans = await start({ OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" });
    const unsampled = spans.start("unsampled", { kind: "server", parent: null });
    expect(unsampled.traceparent).toMatch(/-00$/);
    spans.start("part of it", { kind: "internal", parent: unsampled.traceparent }).end();
    unsampled.end();
    spans.start("sampled", { kind: "server", parent: PARENT }).end();
    await received(1);
    await spans.stop();
    expect(receiver.spans.map(({ name }) => name)).toEqual(["sampled"]);
  });

  it("obey the standard variables for name, attributes, headers and address", async () => {
    const spans = await start({
      OTEL_SERVICE_NAME: "notify",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
      OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=forum",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.endpoint}/elsewhere`,
    });
    spans.start("x", { kind: "server", parent: null }).end();
    await received(1);
    expect(receiver.spans[0]?.resource).toMatchObject({ "service.name": "notify", "deployment.environment.name": "test" });
    expect(receiver.requests[0]).toMatchObject({ path: "/elsewhere", headers: { "x-tenant": "forum" } });
  });

  it("that are refused are lost, which is said once, and once that it is over", async () => {
    const spans = await start();
    receiver.mood = "refuses";
    for (let n = 1; n <= 3; n++) {
      spans.start("lost", { kind: "server", parent: null }).end();
      await until("the spans are given up", () => exported.length >= n);
    }
    receiver.mood = "takes";
    spans.start("taken", { kind: "server", parent: null }).end();
    await received(1);
    await until("it is said", () => lines.length >= 2);
    expect(lines.map(({ msg }) => msg)).toEqual([
      "traces cannot be delivered; they are dropped until they can",
      "traces are delivered again",
    ]);
    expect(exported).toEqual([...Array<unknown>(3).fill([1, false]), [1, true]]);
  });

  it("wait in a queue that is bounded, and hold up no stop, where their place hangs", async () => {
    const spans = await start({
      OTEL_BSP_MAX_QUEUE_SIZE: "100",
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: "10",
      OTEL_EXPORTER_OTLP_TIMEOUT: "5000",
    });
    receiver.mood = "hangs";
    for (let n = 0; n < 5_000; n++) spans.start("x", { kind: "server", parent: null }).end();
    await until("the place hangs", () => receiver.requests.length > 0);
    const startedAt = Date.now();
    await spans.stop();
    expect(Date.now() - startedAt).toBeLessThan(4_500);
    await until("all attempts have ended", () => exported.length === receiver.requests.length);
    expect(exported.reduce((sum, [count]) => sum + count, 0)).toBeLessThanOrEqual(120);
  });

  it("that nobody takes harm nobody", async () => {
    const { endpoint } = receiver;
    await receiver.close();
    const spans = await start();
    expect(endpoint).toBe(receiver.endpoint);
    for (let n = 0; n < 3; n++) {
      spans.start("x", { kind: "server", parent: null }).end();
      await until("the spans are given up", () => exported.length > n);
    }
    expect(exported.every(([, taken]) => !taken)).toBe(true);
    expect(lines).toHaveLength(1);
    receiver = await startOtlpReceiver();
  });
});
