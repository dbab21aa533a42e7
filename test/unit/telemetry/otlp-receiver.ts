import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A span as a collector gets it. Ids are hexadecimal; an empty parent is none. */
export interface ReceivedSpan {
  trace: string;
  id: string;
  parent: string;
  name: string;
  kind: number;
  /** Nanoseconds since the Unix epoch. */
  start: bigint;
  end: bigint;
  attributes: Record<string, unknown>;
  /** 2: an error. */
  status: number;
  resource: Record<string, unknown>;
}

export interface OtlpReceiver {
  /** What OTEL_EXPORTER_OTLP_ENDPOINT is to be. */
  endpoint: string;
  spans: ReceivedSpan[];
  requests: Array<{ path: string; type: string | undefined; headers: IncomingMessage["headers"] }>;
  /** What it does from now on: takes spans, refuses them with a 400, or never answers. */
  mood: "takes" | "refuses" | "hangs";
  close(): Promise<void>;
}

/** A collector of traces by OTLP, http/protobuf, which only keeps what it gets. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      receiver.requests.push({ path: request.url ?? "", type: request.headers["content-type"], headers: request.headers });
      if (receiver.mood === "hangs") return;
      if (receiver.mood === "takes") receiver.spans.push(...spansIn(Buffer.concat(chunks)));
      response.writeHead(receiver.mood === "takes" ? 200 : 400, { "Content-Type": "application/x-protobuf" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const receiver: OtlpReceiver = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: [],
    requests: [],
    mood: "takes",
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

/** The fields of a message of Protocol Buffers by number: varints and fixed numbers as bigint, the rest as bytes. */
function fieldsOf(bytes: Buffer): Map<number, Array<bigint | Buffer>> {
  const fields = new Map<number, Array<bigint | Buffer>>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const wire = tag & 7;
    const value =
      wire === 0 ? varint() : wire === 1 ? take(8).readBigUInt64LE() : wire === 5 ? BigInt(take(4).readUInt32LE()) : take(Number(varint()));
    const known = fields.get(tag >> 3);
    if (known === undefined) fields.set(tag >> 3, [value]);
    else known.push(value);
  }
  return fields;
}

type Fields = ReturnType<typeof fieldsOf>;

const messages = (fields: Fields, number: number): Buffer[] => (fields.get(number) ?? []) as Buffer[];
const hex = (fields: Fields, number: number): string => messages(fields, number)[0]?.toString("hex") ?? "";
const text = (fields: Fields, number: number): string => messages(fields, number)[0]?.toString() ?? "";
const whole = (fields: Fields, number: number): bigint => (fields.get(number)?.[0] as bigint | undefined) ?? 0n;

/** The spans of an ExportTraceServiceRequest (opentelemetry-proto, trace/v1). */
function spansIn(bytes: Buffer): ReceivedSpan[] {
  return messages(fieldsOf(bytes), 1).flatMap((ofResource) => {
    const { resource, scopes } = { resource: messages(fieldsOf(ofResource), 1)[0], scopes: messages(fieldsOf(ofResource), 2) };
    const described = resource === undefined ? {} : attributesIn(fieldsOf(resource), 1);
    return scopes.flatMap((scope) => messages(fieldsOf(scope), 2).map((span) => spanIn(fieldsOf(span), described)));
  });
}

function spanIn(span: Fields, resource: Record<string, unknown>): ReceivedSpan {
  const [status] = messages(span, 15);
  return {
    trace: hex(span, 1),
    id: hex(span, 2),
    parent: hex(span, 4),
    name: text(span, 5),
    kind: Number(whole(span, 6)),
    start: whole(span, 7),
    end: whole(span, 8),
    attributes: attributesIn(span, 9),
    status: status === undefined ? 0 : Number(whole(fieldsOf(status), 3)),
    resource,
  };
}

/** Texts, truth values and whole numbers; others are of no interest here. */
function attributesIn(fields: Fields, number: number): Record<string, unknown> {
  return Object.fromEntries(
    messages(fields, number).map((pair) => {
      const both = fieldsOf(pair);
      const value = fieldsOf(messages(both, 2)[0] ?? Buffer.alloc(0));
      return [text(both, 1), value.has(1) ? text(value, 1) : value.has(2) ? whole(value, 2) === 1n : Number(whole(value, 3))];
    }),
  );
}
