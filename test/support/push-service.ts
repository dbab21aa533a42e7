import { createDecipheriv, createECDH, createPublicKey, hkdfSync, type KeyObject, randomBytes, randomUUID, verify } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeCertificate } from "./certificate.js";

/** A browser's subscription, and what its push service has taken for it. */
export interface Phone {
  /** What the page sends to `PUT /v1/me/push`. */
  subscription: { endpoint: string; expirationTime: null; keys: { p256dh: string; auth: string } };
  /** Decrypted, in order. */
  readonly messages: PushMessage[];
  /** Attempts, those included that were not taken. */
  attempts: number;
  /** What the next attempts are answered; taken (201) where nothing is said. `hang`: never. */
  answer: number | "hang";
  retryAfter: string | null;
}

export interface PushMessage {
  payload: Record<string, unknown> & { id: string; tag: string };
  headers: { ttl: number; urgency: string; topic: string };
  /** By the signature (RFC 8292): for which service, and by whom. */
  claims: { aud: string; sub: string; exp: number };
  /** The public key that signed, base64url. */
  publicKey: string;
  at: number;
}

interface Device extends Phone {
  curve: ReturnType<typeof createECDH>;
  secret: Buffer;
}

/** A push service as browsers have one: it takes encrypted messages (RFC 8030, 8188, 8291, 8292) over HTTPS. Whatever is wrong it refuses. */
export class PushService {
  readonly #server: Server;
  readonly #devices = new Map<string, Device>();
  readonly #hanging = new Set<ServerResponse>();
  /** What was refused, and why. */
  readonly faults: string[] = [];

  private constructor(
    server: Server,
    private readonly folder: string,
  ) {
    this.#server = server;
  }

  static async start(): Promise<PushService> {
    const { cert, key } = makeCertificate();
    const folder = await mkdtemp(join(tmpdir(), "belfry-push-"));
    await writeFile(join(folder, "authority.pem"), cert);
    // As one that means harm: it ends no connection by itself.
    const server = createServer({ cert, key, keepAliveTimeout: 0 });
    const service = new PushService(server, folder);
    server.on("request", (request: IncomingMessage, response: ServerResponse) => void service.#take(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return service;
  }

  /** What a node must be told so that it trusts this service and reaches it. */
  get env(): Record<string, string> {
    return { NODE_EXTRA_CA_CERTS: join(this.folder, "authority.pem"), PUSH_PRIVATE: "on" };
  }

  get origin(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** How many connections are open. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });
  }

  /** A browser that has subscribed. */
  phone(): Phone {
    const name = randomUUID();
    const curve = createECDH("prime256v1");
    const point = curve.generateKeys();
    const secret = randomBytes(16);
    const keys = { p256dh: point.toString("base64url"), auth: secret.toString("base64url") };
    const subscription = { endpoint: `${this.origin}/send/${name}`, expirationTime: null, keys };
    const device: Device = { subscription, messages: [], attempts: 0, answer: 201, retryAfter: null, curve, secret };
    this.#devices.set(name, device);
    return device;
  }

  async stop(): Promise<void> {
    for (const response of this.#hanging) response.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
      this.#server.closeAllConnections();
    });
    await rm(this.folder, { recursive: true, force: true });
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const device = this.#devices.get(request.url?.split("/").at(-1) ?? "");
    if (device === undefined) {
      response.writeHead(404).end();
      return;
    }
    device.attempts++;
    if (device.answer === "hang") {
      this.#hanging.add(response);
      return;
    }
    if (device.answer !== 201) {
      response.writeHead(device.answer, device.retryAfter === null ? {} : { "Retry-After": device.retryAfter }).end("not now");
      return;
    }
    try {
      device.messages.push(messageIn(request, Buffer.concat(chunks), device, this.origin));
      response.writeHead(201).end();
    } catch (error) {
      this.faults.push((error as Error).message);
      response.writeHead(400).end((error as Error).message);
    }
  }
}

function messageIn({ method, headers }: IncomingMessage, body: Buffer, device: Device, origin: string): PushMessage {
  need(method === "POST", "POST");
  need(headers["content-encoding"] === "aes128gcm", "Content-Encoding");
  need(body.length <= 4_096, "at most 4096 bytes");
  const ttl = Number(headers.ttl);
  need(Number.isSafeInteger(ttl) && ttl >= 0, "TTL");
  const urgency = String(headers.urgency);
  need(["very-low", "low", "normal", "high"].includes(urgency), "Urgency");
  const topic = String(headers.topic);
  need(/^[\w-]{1,32}$/.test(topic), "Topic");
  const { claims, publicKey } = signatureIn(String(headers.authorization));
  need(claims.aud === origin, "aud");
  need(claims.exp > Date.now() / 1_000 && claims.exp <= Date.now() / 1_000 + 86_400, "exp");
  const payload = JSON.parse(decrypt(body, device)) as PushMessage["payload"];
  return { payload, headers: { ttl, urgency, topic }, claims, publicKey, at: Date.now() };
}

function signatureIn(header: string): Pick<PushMessage, "claims" | "publicKey"> {
  const [, token = "", publicKey = ""] = /^vapid t=([\w.-]+), ?k=([\w-]+)$/.exec(header) ?? [];
  const [head = "", claims = "", signature = ""] = token.split(".");
  const bytes = Buffer.from(publicKey, "base64url");
  need(bytes.length === 65, "the key of the signature");
  const [x, y] = [bytes.subarray(1, 33), bytes.subarray(33)].map((half) => half.toString("base64url")) as [string, string];
  const key: KeyObject = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  const isGood = verify(
    "sha256",
    Buffer.from(`${head}.${claims}`),
    { key, dsaEncoding: "ieee-p1363" },
    Buffer.from(signature, "base64url"),
  );
  need(isGood, "the signature");
  return { claims: JSON.parse(Buffer.from(claims, "base64url").toString()), publicKey };
}

/** RFC 8291 over RFC 8188, of one record. */
function decrypt(body: Buffer, { curve, secret }: Device): string {
  const salt = body.subarray(0, 16);
  const idLength = body.readUInt8(20);
  const sender = body.subarray(21, 21 + idLength);
  const sealed = body.subarray(21 + idLength);
  const shared = curve.computeSecret(sender);
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), curve.getPublicKey(), sender]);
  const material = Buffer.from(hkdfSync("sha256", shared, secret, info, 32));
  const key = Buffer.from(hkdfSync("sha256", material, salt, Buffer.from("Content-Encoding: aes128gcm\0"), 16));
  const nonce = Buffer.from(hkdfSync("sha256", material, salt, Buffer.from("Content-Encoding: nonce\0"), 12));
  const decipher = createDecipheriv("aes-128-gcm", key, nonce);
  decipher.setAuthTag(sealed.subarray(-16));
  const padded = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
  const end = padded.lastIndexOf(2);
  need(end >= 0 && padded.subarray(end + 1).every((byte) => byte === 0), "the padding");
  return padded.subarray(0, end).toString("utf8");
}

function need(holds: boolean, what: string): void {
  if (!holds) throw new Error(`what is wrong: ${what}`);
}
