import { hostname } from "node:os";
import { ConfigError, shown } from "./config-error.js";
import { allowedOriginsOf, hostOf, mongodbUrlOf, trustProxyOf } from "./network.js";
import { pushOf } from "./push.js";
import { redisOf } from "./redis-url.js";
import { openDataDir, type StoredKeys, storedKeys } from "./stored-keys.js";
import { tlsOf } from "./tls.js";
import { tokenKeysOf } from "./token-keys.js";
import type { Config } from "./types.js";
import { listOf, numberOf, readSettings, type Settings, wordOf } from "./variables.js";

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const satisfies Config["logLevel"][];

/** Bounds against slips of the finger, such as milliseconds for days; nothing else depends on them. */
const MAX_KEEP_DAYS = 36_500;
const MAX_KEEP_ENTRIES = 1_000_000_000;
const MAX_WATCHDOG_SECONDS = 600;

/** Seconds. Members of a frozen node are elsewhere within 5 s only if it is ended before. */
const WATCHDOG_SECONDS_WITH_OTHERS = 3;

/**
 * The configuration, checked. Outside production, keys that are not set come from `<dataDir>/keys.json`, which the first start makes.
 * @param argv without the program and the script: `process.argv.slice(2)`.
 * @returns `created`: the variables whose values this start generated and uses.
 * @throws ConfigError
 */
export async function loadConfig(env: NodeJS.ProcessEnv, argv: string[]): Promise<{ config: Config; created: string[] }> {
  const settings = readSettings(env, argv);
  const production = env.NODE_ENV === "production";
  const given = {
    apiKeys: apiKeysOf(settings),
    tokenKeys: tokenKeysOf(settings),
    discourseSecret: settings.DISCOURSE_SECRET ?? null,
  };
  const rest = {
    port: numberOf(settings, "PORT", 0, 65_535, 3000),
    host: hostOf(settings, production),
    tls: await tlsOf(settings),
    dataDir: settings.DATA_DIR ?? "./data",
    mongodbUrl: mongodbUrlOf(settings),
    redis: redisOf(settings),
    jwtIssuer: settings.JWT_ISSUER?.trim() ?? null,
    jwtAudience: settings.JWT_AUDIENCE?.trim() ?? null,
    allowedOrigins: allowedOriginsOf(settings),
    trustProxy: trustProxyOf(settings),
    sessionPolicy: wordOf(settings, "SESSION_POLICY", ["multi", "single"], "multi"),
    guests: wordOf(settings, "GUESTS", ["on", "off"], "off") === "on",
    demo: wordOf(settings, "DEMO", ["on", "off"], production ? "off" : "on") === "on",
    logLevel: wordOf(settings, "LOG_LEVEL", LOG_LEVELS, "info"),
    nodeName: nodeNameOf(settings),
    otlpEndpoint: otlpEndpointOf(settings),
    production,
    push: pushOf(settings, allowedOriginsOf(settings)),
    watchdogMs: watchdogSecondsOf(settings) * 1_000,
    keepDays: numberOf(settings, "KEEP_DAYS", 0, MAX_KEEP_DAYS, 90),
    keepEntries: numberOf(settings, "KEEP_ENTRIES", 0, MAX_KEEP_ENTRIES, 10_000),
  };
  const missing = Object.values(given).some((value) => value === null);
  // With MongoDB, all keys given and no demo, nothing is kept in the folder, so a read-only file system will do.
  if (rest.mongodbUrl === null || rest.demo || (missing && !production)) await openDataDir(rest.dataDir);
  const { keys, created } = production ? { keys: requireKeys(given), created: [] } : await fillKeys(given, rest.dataDir);
  return { config: { ...rest, ...keys }, created };
}

/** A node that is alone gives its members nowhere else to go, so nothing watches over it by default. */
function watchdogSecondsOf(settings: Settings): number {
  const fallback = settings.REDIS_URL === undefined ? 0 : WATCHDOG_SECONDS_WITH_OTHERS;
  return numberOf(settings, "WATCHDOG", 0, MAX_WATCHDOG_SECONDS, fallback);
}

type Keys = Pick<Config, "apiKeys" | "tokenKeys" | "discourseSecret">;
type GivenKeys = { [K in keyof Keys]: Keys[K] | null };

function requireKeys({ apiKeys, tokenKeys, discourseSecret }: GivenKeys): Keys {
  const why = "it is not set, and with NODE_ENV=production none is generated";
  if (apiKeys === null) throw new ConfigError("API_KEYS", why, "comma-separated keys");
  if (tokenKeys === null) throw new ConfigError("JWT_SECRET", why, "it, JWT_PUBLIC_KEY or JWKS_URL");
  return { apiKeys, tokenKeys, discourseSecret };
}

async function fillKeys(given: GivenKeys, dataDir: string): Promise<{ keys: Keys; created: string[] }> {
  const { apiKeys, tokenKeys, discourseSecret } = given;
  if (apiKeys !== null && tokenKeys !== null && discourseSecret !== null)
    return { keys: { apiKeys, tokenKeys, discourseSecret }, created: [] };
  const { keys, made }: { keys: StoredKeys; made: boolean } = await storedKeys(dataDir);
  const used = [
    ...(apiKeys === null ? ["API_KEYS"] : []),
    ...(tokenKeys === null ? ["JWT_SECRET"] : []),
    ...(discourseSecret === null ? ["DISCOURSE_SECRET"] : []),
  ];
  return {
    keys: {
      apiKeys: apiKeys ?? [keys.apiKey],
      tokenKeys: tokenKeys ?? { kind: "secret", secret: new TextEncoder().encode(keys.jwtSecret) },
      discourseSecret: discourseSecret ?? keys.discourseSecret,
    },
    created: made ? used : [],
  };
}

function apiKeysOf(settings: Settings): string[] | null {
  const expected = "comma-separated keys of printable ASCII characters without spaces";
  const keys = listOf(settings, "API_KEYS", expected);
  if (keys.length === 0) return null;
  // What else there could be does not survive an Authorization header.
  if (!keys.every((key) => /^[\x21-\x7e]+$/.test(key)))
    throw new ConfigError("API_KEYS", "a key has a space or a character that is not ASCII", expected);
  return keys;
}

/** Its value is never shown: it may hold a password. */
function otlpEndpointOf(settings: Settings): URL | null {
  const address = settings.OTEL_EXPORTER_OTLP_ENDPOINT?.trim();
  if (address === undefined) return null;
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new ConfigError("OTEL_EXPORTER_OTLP_ENDPOINT", "it is not an address", "one such as http://collector:4318");
}

function nodeNameOf(settings: Settings): string {
  const name = settings.NODE_NAME?.trim();
  if (name === undefined)
    return `${hostname()
      .replace(/[^\w.-]/g, "-")
      .slice(0, 48)}-${process.pid}`;
  if (!/^[\w.-]{1,64}$/.test(name)) {
    throw new ConfigError("NODE_NAME", `${shown(name)} is not a name`, "1 to 64 letters, digits, dots, dashes and underscores");
  }
  return name;
}
