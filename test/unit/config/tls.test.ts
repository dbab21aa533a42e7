import { generateKeyPairSync } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ConfigError, loadConfig, readTlsPair } from "../../../src/config/index.js";
import { makeCertificate } from "../../support/certificate.js";

const HOUR_MS = 3_600_000;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "belfry-tls-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const good = makeCertificate();

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

/** Loads a configuration with files of these contents; null: the variable is not set. */
async function load(cert: string | null, key: string | null) {
  const env = {
    DATA_DIR: folder,
    ...(cert === null ? {} : { TLS_CERT: await file("cert.pem", cert) }),
    ...(key === null ? {} : { TLS_KEY: await file("key.pem", key) }),
  };
  return (await loadConfig(env, [])).config.tls;
}

async function faultOf(cert: string | null, key: string | null): Promise<string> {
  const error: unknown = await load(cert, key).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message;
}

describe("TLS_CERT and TLS_KEY", () => {
  it("are absent by default, which is plain HTTP", async () => {
    expect(await load(null, null)).toBeNull();
  });

  it("are read and checked", async () => {
    const pair = await load(good.cert, good.key);
    expect(pair).toMatchObject({ cert: good.cert, key: good.key, certFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") });
    expect(pair?.validTo.getTime()).toBeGreaterThan(Date.now());
  });

  it("take a chain, the server's own certificate first", async () => {
    const chain = good.cert + makeCertificate().cert;
    expect((await load(chain, good.key))?.cert).toBe(chain);
    expect(await faultOf(makeCertificate().cert + good.cert, good.key)).toMatch(/^TLS_KEY: .* is not that of the certificate/);
  });

  it("do not mind that another certificate of the chain has expired", async () => {
    const old = makeCertificate({ from: new Date(Date.now() - 2 * HOUR_MS), to: new Date(Date.now() - HOUR_MS) });
    expect(await load(good.cert + old.cert, good.key)).not.toBeNull();
  });

  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const withPassphrase = rsa.privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "hunter2" }).toString();
  const past = makeCertificate({ from: new Date(0), to: new Date(Date.now() - HOUR_MS) });
  const future = makeCertificate({ from: new Date(Date.now() + HOUR_MS), to: new Date(Date.now() + 2 * HOUR_MS) });
  it.each<[what: string, cert: string | null, key: string | null, fault: RegExp]>([
    ["a certificate without a key", good.cert, null, /^TLS_KEY: it is not set, and TLS_CERT is; expected /],
    ["a key without a certificate", null, good.key, /^TLS_CERT: it is not set, and TLS_KEY is; expected /],
    ["no PEM", "hunter2", good.key, /^TLS_CERT: there is no certificate in PEM in /],
    ["an empty file", "", good.key, /^TLS_CERT: there is no certificate in PEM in /],
    ["a key where the certificate belongs", good.key, good.key, /^TLS_CERT: there is no certificate in PEM in /],
    ["a certificate where the key belongs", good.cert, good.cert, /^TLS_KEY: there is no private key in PEM in /],
    ["a damaged key", good.cert, good.key.replace(/^M/m, "x"), /^TLS_KEY: there is no private key in PEM in /],
    ["a key with a passphrase", good.cert, withPassphrase, /^TLS_KEY: the key in .* has a passphrase; expected /],
    ["the key of another certificate", good.cert, makeCertificate().key, /^TLS_KEY: .* is not that of the certificate/],
    ["a certificate that has expired", past.cert, past.key, /^TLS_CERT: .* expired at \d{4}-.*; expected one that is valid now/],
    ["a certificate that is not yet valid", future.cert, future.key, /^TLS_CERT: .* is not valid before /],
    ["a chain that is cut off", good.cert + good.cert.slice(0, 200), good.key, /^TLS_CERT: TLS cannot use /],
    ["a file of megabytes", "x".repeat(2 * 1024 * 1024), good.key, /^TLS_CERT: .* is no file of at most 1048576 bytes/],
  ])("stop the start where there is %s", async (_what, cert, key, fault) => {
    const message = await faultOf(cert, key);
    expect(message).toMatch(fault);
    expect(message).not.toMatch(/hunter2|[\n\r]/);
  });

  it("stop the start where a path leads to no file", async () => {
    const [certFile, keyFile] = [await file("cert.pem", good.cert), await file("key.pem", good.key)];
    await mkdir(join(folder, "folder"));
    await expect(readTlsPair({ certFile: join(folder, "none.pem"), keyFile })).rejects.toThrow(/^TLS_CERT: ".*" cannot be read \(ENOENT\)/);
    await expect(readTlsPair({ certFile, keyFile: join(folder, "folder") })).rejects.toThrow(/^TLS_KEY: ".*" is no file/);
    await expect(readTlsPair({ certFile, keyFile: "/dev/zero" })).rejects.toThrow(/^TLS_KEY: ".*" is no file/);
  });
});

describe("WATCHDOG", () => {
  const watchdogOf = async (env: Record<string, string>) =>
    (await loadConfig({ DATA_DIR: folder, MONGODB_URL: "mongodb://db/x", ...env }, [])).config.watchdogMs;

  it("is off for a node that is alone, and 3 s for one among others", async () => {
    expect(await watchdogOf({})).toBe(0);
    expect(await watchdogOf({ REDIS_URL: "redis://cache" })).toBe(3_000);
    expect(await watchdogOf({ REDIS_URL: "redis://cache", WATCHDOG: "0" })).toBe(0);
    expect(await watchdogOf({ WATCHDOG: "10" })).toBe(10_000);
  });

  it.each(["-1", "1.5", "3000", "on"])("refuses %s", async (value) => {
    await expect(watchdogOf({ WATCHDOG: value })).rejects.toThrow(/^WATCHDOG: .*expected a whole number from 0 to 600/);
  });
});
