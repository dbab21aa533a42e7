import { generateKeyPairSync } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ConfigError, helpText, loadConfig, wantsHelp } from "../../../src/config/index.js";

const SECRET = "a-secret-of-more-than-thirty-two-bytes";
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = (key: { export(options: { type: "spki"; format: "pem" }): string | Buffer }) =>
  key.export({ type: "spki", format: "pem" }).toString();

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "belfry-config-"));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const load = (env: Record<string, string> = {}, argv: string[] = []) => loadConfig({ DATA_DIR: dataDir, ...env }, argv);
const production = { NODE_ENV: "production", API_KEYS: "k", JWT_SECRET: SECRET };

async function faultOf(env: Record<string, string>, argv: string[] = []): Promise<string> {
  const error: unknown = await load(env, argv).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConfigError);
  const { message } = error as ConfigError;
  expect(message).not.toMatch(/[\n\r]/);
  return message;
}

describe("the configuration", () => {
  it("has the documented defaults", async () => {
    const { config } = await load();
    expect(config).toMatchObject({
      port: 3000,
      host: "127.0.0.1",
      mongodbUrl: null,
      redis: null,
      jwtIssuer: null,
      jwtAudience: null,
      allowedOrigins: [],
      trustProxy: false,
      sessionPolicy: "multi",
      guests: false,
      demo: true,
      logLevel: "info",
      production: false,
      keepDays: 90,
      keepEntries: 10_000,
    });
    expect(config.nodeName).toMatch(new RegExp(`-${process.pid}$`));
  });

  it("takes an empty variable as one that is not set", async () => {
    const { config } = await load({ PORT: "", TRUST_PROXY: " ", MONGODB_URL: "", REDIS_URL: "", JWT_SECRET: "", KEEP_DAYS: "" });
    expect(config).toMatchObject({ port: 3000, trustProxy: false, mongodbUrl: null, redis: null, keepDays: 90 });
  });

  it("prefers a flag, in both spellings, to the environment", async () => {
    const { config } = await load({ PORT: "1", KEEP_DAYS: "2" }, ["--port", "4000", "--mongodb-url=mongodb://db/belfry", "--keep-days=0"]);
    expect(config).toMatchObject({ port: 4000, mongodbUrl: "mongodb://db/belfry", keepDays: 0 });
  });

  it.each([
    ["true", true],
    ["false", false],
    ["2", 2],
    ["loopback, 10.0.0.0/8,::1", "loopback,10.0.0.0/8,::1"],
  ])("reads TRUST_PROXY=%s", async (text, expected) => {
    expect((await load({ TRUST_PROXY: text })).config.trustProxy).toBe(expected);
  });

  it("writes origins as browsers do", async () => {
    const { config } = await load({ ALLOWED_ORIGINS: "https://Forum.Example, http://localhost:8080,https://a.example:443" });
    expect(config.allowedOrigins).toEqual(["https://forum.example", "http://localhost:8080", "https://a.example"]);
    expect((await load({ ALLOWED_ORIGINS: "*" })).config.allowedOrigins).toEqual(["*"]);
  });

  it("lists every flag in the help text", () => {
    for (const flag of ["--port", "--host", "--mongodb-url", "--redis-url", "--jwks-url", "--session-policy", "--keep-entries"])
      expect(helpText()).toContain(flag);
    expect([wantsHelp(["--help"]), wantsHelp(["--port", "1"])]).toEqual([true, false]);
  });
});

describe("a bad value stops the start with a line that names the variable", () => {
  const rsa = (bits: number) => pem(generateKeyPairSync("rsa", { modulusLength: bits }).publicKey);
  it.each<[string, Record<string, string>, RegExp]>([
    ["PORT", { PORT: "http" }, /"http" is not a whole number; expected a whole number from 0 to 65535/],
    ["PORT", { PORT: "65536" }, /out of range/],
    ["PORT", { PORT: "-1" }, /not a whole number/],
    ["PORT", { PORT: "1\nfatal: forged line" }, /not a whole number/],
    ["HOST", { HOST: "a b" }, /neither an address nor a host name/],
    ["MONGODB_URL", { MONGODB_URL: "postgres://user:hunter2@db/x" }, /not a MongoDB address/],
    ["REDIS_URL", { REDIS_URL: "redis://r" }, /without MONGODB_URL/],
    ["API_KEYS", { API_KEYS: "a,,b" }, /empty part/],
    ["API_KEYS", { API_KEYS: "hunter2 x" }, /space/],
    ["JWT_SECRET", { JWT_SECRET: "hunter2" }, /it has 7 bytes; expected at least 32/],
    ["JWT_SECRET and JWKS_URL", { JWT_SECRET: SECRET, JWKS_URL: "https://a.example/k" }, /exactly one/],
    ["JWT_PUBLIC_KEY", { JWT_PUBLIC_KEY: "hunter2" }, /cannot be read/],
    ["JWT_PUBLIC_KEY", { JWT_PUBLIC_KEY: ec.privateKey.export({ type: "pkcs8", format: "pem" }).toString() }, /private key/],
    ["JWT_PUBLIC_KEY", { JWT_PUBLIC_KEY: rsa(1024) }, /1024 bits/],
    ["JWT_PUBLIC_KEY", { JWT_PUBLIC_KEY: pem(generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey) }, /curve/],
    ["JWT_PUBLIC_KEY", { JWT_PUBLIC_KEY: pem(generateKeyPairSync("ed25519").publicKey) }, /type/],
    ["JWKS_URL", { JWKS_URL: "http://keys.example/jwks" }, /http to another machine/],
    ["JWKS_URL", { JWKS_URL: "https://u:hunter2@keys.example/jwks" }, /password/],
    ["JWKS_URL", { JWKS_URL: "keys.example" }, /not an address/],
    ["JWKS_URL", { JWKS_URL: "file:///etc/passwd" }, /scheme/],
    ["ALLOWED_ORIGINS", { ALLOWED_ORIGINS: "forum.example" }, /not an origin/],
    ["ALLOWED_ORIGINS", { ALLOWED_ORIGINS: "https://forum.example/path" }, /not an origin/],
    ["ALLOWED_ORIGINS", { ALLOWED_ORIGINS: "https://a.example,*" }, /"\*" is not an origin/],
    ["TRUST_PROXY", { TRUST_PROXY: "yes" }, /neither an address nor a subnet/],
    ["TRUST_PROXY", { TRUST_PROXY: "10.0.0.0/33" }, /subnet/],
    ["TRUST_PROXY", { TRUST_PROXY: "99" }, /out of range/],
    ["GUESTS", { GUESTS: "yes" }, /expected on, off/],
    ["SESSION_POLICY", { SESSION_POLICY: "both" }, /expected multi, single/],
    ["DEMO", { DEMO: "true" }, /expected on, off/],
    ["LOG_LEVEL", { LOG_LEVEL: "loud" }, /none of its values/],
    ["NODE_NAME", { NODE_NAME: "a b" }, /not a name/],
    ["KEEP_DAYS", { KEEP_DAYS: "1.5" }, /not a whole number/],
    ["KEEP_ENTRIES", { KEEP_ENTRIES: "1e9" }, /not a whole number/],
    ["API_KEYS", { NODE_ENV: "production", JWT_SECRET: SECRET }, /not set/],
    ["API_KEYS", { NODE_ENV: "production", JWT_SECRET: SECRET, DEMO: "on" }, /not set/],
    ["JWT_SECRET", { NODE_ENV: "production", API_KEYS: "k" }, /it, JWT_PUBLIC_KEY or JWKS_URL/],
    ["DATA_DIR", { DATA_DIR: "/dev/null/x" }, /cannot be used \(ENOTDIR\)/],
  ])("%s of %j", async (variable, env, fault) => {
    const message = await faultOf(env);
    expect(message.startsWith(`${variable}: `)).toBe(true);
    expect(message).toMatch(fault);
    expect(message).toMatch(/expected /);
    expect(message).not.toContain("hunter2");
  });

  it.each<[string[], RegExp]>([
    [["--prot", "1"], /^--prot: there is no such flag/],
    [["--port"], /^PORT: the flag --port has no value/],
    [["--port", "--host", "x"], /^PORT: the flag --port has no value/],
    [["--port=1", "--port=2"], /^PORT: the flag --port is given twice/],
    [["--api-keys", "a", "hunter2"], /^command line: there is a value that belongs to no flag/],
  ])("command line %j", async (argv, fault) => {
    const message = await faultOf({}, argv);
    expect(message).toMatch(fault);
    expect(message).not.toContain("hunter2");
  });
});

describe("token keys", () => {
  it("reads a public key with \\n for its line breaks, and knows its algorithm", async () => {
    const text = pem(ec.publicKey).replaceAll("\n", "\\n");
    expect((await load({ JWT_PUBLIC_KEY: text })).config.tokenKeys).toMatchObject({ kind: "public-key", algorithm: "ES256" });
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    expect((await load({ JWT_PUBLIC_KEY: pem(publicKey) })).config.tokenKeys).toMatchObject({ kind: "public-key", algorithm: "RS256" });
  });

  it.each(["https://keys.example/jwks", "http://127.0.0.1:9/jwks", "http://[::1]/jwks", "http://localhost/jwks"])(
    "takes %s",
    async (url) => {
      expect((await load({ JWKS_URL: url })).config.tokenKeys).toEqual({ kind: "jwks", url: new URL(url) });
    },
  );
});

describe("generated keys", () => {
  it("are made on the first start, kept for the next ones, and readable by their owner only", async () => {
    const first = await load();
    const second = await load();
    expect(first.created).toEqual(["API_KEYS", "JWT_SECRET", "DISCOURSE_SECRET"]);
    expect(second.created).toEqual([]);
    expect({ ...second.config }).toEqual({ ...first.config });
    expect((await stat(join(dataDir, "keys.json"))).mode & 0o777).toBe(0o600);
    expect(await readdir(dataDir)).toEqual(["keys.json"]);
    const kept = JSON.parse(await readFile(join(dataDir, "keys.json"), "utf8")) as Record<string, string>;
    for (const key of [kept.apiKey, kept.jwtSecret, kept.discourseSecret]) expect(key).toMatch(/^[\w-]{43}$/);
  });

  it("fill in only what the environment does not set", async () => {
    const { config, created } = await load({ API_KEYS: "one, two", JWKS_URL: "https://keys.example/jwks" });
    expect(config.apiKeys).toEqual(["one", "two"]);
    expect(config.tokenKeys.kind).toBe("jwks");
    expect(created).toEqual(["DISCOURSE_SECRET"]);
  });

  it("are neither made nor used in production", async () => {
    await load();
    const { config, created } = await load(production);
    expect(config).toMatchObject({ apiKeys: ["k"], discourseSecret: null, demo: false, host: "0.0.0.0" });
    expect(created).toEqual([]);
  });

  it("are not needed where the environment sets all: then MongoDB needs no data folder", async () => {
    const { config } = await load({ ...production, DATA_DIR: "/dev/null/x", MONGODB_URL: "mongodb://db/x" });
    expect(config.mongodbUrl).toBe("mongodb://db/x");
  });

  it.each(["", "{", "null", "[]", '{"apiKey":1}', '{"apiKey":"x","jwtSecret":"y","discourseSecret":"z"}'])(
    "refuse a file that holds %j",
    async (text) => {
      await writeFile(join(dataDir, "keys.json"), text);
      await chmod(join(dataDir, "keys.json"), 0o600);
      expect(await faultOf({})).toMatch(/^DATA_DIR: ".*keys\.json" .*expected a JSON object/);
      expect(await readFile(join(dataDir, "keys.json"), "utf8")).toBe(text);
    },
  );
});
