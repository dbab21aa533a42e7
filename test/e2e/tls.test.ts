import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { io } from "socket.io-client";
import { type Certificate, makeCertificate } from "../support/certificate.js";
import { tokenFor, until } from "../support/member.js";
import { type Service, startService } from "../support/service.js";

let folder: string;
let service: Service;
let certFile: string;
let keyFile: string;
const first = makeCertificate();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belfry-tls-"));
  [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  await install(first);
  service = await startService({ env: { TLS_CERT: certFile, TLS_KEY: keyFile, LOG_LEVEL: "info" } });
});

afterAll(async () => {
  await service?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function install({ cert, key }: Certificate): Promise<void> {
  await writeFile(certFile, cert);
  await writeFile(keyFile, key);
}

const port = () => Number(new URL(service.url).port);

/** A status, asked for with one certificate as the only one that is trusted. */
function statusWith(trusted: Certificate, path = "/health"): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${service.url}${path}`, { ca: trusted.cert, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on("error", reject)
      .end();
  });
}

/** A connection with any certificate. @throws Error where the handshake fails. */
async function handshake(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port: port(), host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  return socket;
}

/** How many lines of the log have this in them. */
const logged = (text: string) => service.output.split("\n").filter((line) => line.includes(text)).length;

describe("a service with TLS_CERT and TLS_KEY", () => {
  it("says so, and serves HTTP and WebSockets over TLS", async () => {
    expect(service.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(await statusWith(first)).toBe(200);
    const socket = io(`${service.url}/notifications`, {
      forceNew: true,
      transports: ["websocket"],
      ca: first.cert,
      auth: { token: tokenFor(service.jwtSecret, { sub: "ada" }) },
    });
    await once(socket as never, "synced");
    socket.disconnect();
  });

  it("speaks TLS 1.2 and 1.3, and nothing older", async () => {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const socket = await handshake({ minVersion: version, maxVersion: version });
      expect(socket.getProtocol()).toBe(version);
      socket.destroy();
    }
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
    await expect(handshake(old)).rejects.toThrow(/alert|protocol/i);
  });

  it("ends a connection that speaks no TLS", async () => {
    const socket = connectPlain(port(), "127.0.0.1", () => socket.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n"));
    socket.on("error", () => {});
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
    });
    await once(socket, "close");
    expect(text).not.toContain("200");
    expect(await statusWith(first)).toBe(200);
  });

  it("ends a handshake that never goes on", async () => {
    const socket = connectPlain(port(), "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "close");
  }, 20_000);

  it("takes a new pair on SIGHUP, for new connections", async () => {
    const second = makeCertificate();
    const open = await handshake();
    await install(second);
    process.kill(service.pid, "SIGHUP");
    await until("the new certificate", () =>
      statusWith(second).then(
        (status) => status === 200,
        () => false,
      ),
    );
    await expect(statusWith(first)).rejects.toThrow();
    // A minimum of Node's own would not be there: the context is another one.
    await expect(handshake({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" })).rejects.toThrow();
    open.write("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const [answer] = (await once(open, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 200 /);
    open.destroy();
  });

  it.each<[string, () => Certificate]>([
    ["a key that does not belong to the certificate", () => ({ ...makeCertificate(), key: makeCertificate().key })],
    ["a certificate that has expired", () => makeCertificate({ from: new Date(0), to: new Date(1_000_000_000) })],
    ["half of a file", () => ({ ...first, cert: first.cert.slice(0, 100) })],
  ])("keeps the old pair where the new one is %s, and says why", async (_what, make) => {
    await install(first);
    process.kill(service.pid, "SIGHUP");
    await until("the certificate", () =>
      statusWith(first).then(
        () => true,
        () => false,
      ),
    );
    const before = logged("the old stays");
    await install(make());
    process.kill(service.pid, "SIGHUP");
    await until("the log says so", () => logged("the old stays") === before + 1);
    expect(service.output).toMatch(/"level":50.*TLS_(CERT|KEY): /);
    expect(service.output).not.toContain("PRIVATE");
    expect(await statusWith(first)).toBe(200);
    await install(first);
  });

  it("ends with 0, also with a handshake under way", async () => {
    const socket = connectPlain(port(), "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    const stopping = Date.now();
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(Date.now() - stopping).toBeLessThan(20_000);
    socket.destroy();
  }, 30_000);
});

describe("a service without TLS", () => {
  it("does not mind a SIGHUP", async () => {
    const plain = await startService({ env: { LOG_LEVEL: "info" } });
    try {
      process.kill(plain.pid, "SIGHUP");
      await until("the log says so", () => plain.output.includes("nothing to read again"));
      expect((await fetch(`${plain.url}/health`)).status).toBe(200);
    } finally {
      expect(await plain.stop()).toEqual({ code: 0, signal: null });
    }
  });

  it("does not start with half of a pair, or with one that cannot be used: status 78 and one line", async () => {
    await install(first);
    for (const [env, line] of [
      [{ TLS_CERT: certFile }, /^TLS_KEY: it is not set, and TLS_CERT is; expected .*\.$/m],
      [{ TLS_CERT: certFile, TLS_KEY: join(folder, "none.pem") }, /^TLS_KEY: ".*none\.pem" cannot be read \(ENOENT\); expected .*\.$/m],
    ] as const) {
      const message = await startService({ env }).then(
        () => "it started",
        (error: Error) => error.message,
      );
      expect(message).toMatch(/ended \(78\)/);
      expect(message).toMatch(line);
    }
  });
});
