import { parseArgs } from "node:util";
import { ConfigError, shown } from "./config-error.js";

/** Every variable of the environment that has a flag, in the order in which `--help` shows them. */
const VARIABLES = {
  PORT: "port to listen on; 0 picks a free one and prints it (3000)",
  HOST: "address to listen on (127.0.0.1; with NODE_ENV=production 0.0.0.0)",
  TLS_CERT: "file with the certificate and its chain (PEM), for HTTPS without a proxy; read again on SIGHUP (plain HTTP)",
  TLS_KEY: "file with the certificate's private key (PEM); both or neither",
  DATA_DIR: "folder of the embedded store and of the generated keys (./data)",
  MONGODB_URL: "mongodb:// or mongodb+srv:// address of a replica set; absent: the embedded SQLite store",
  REDIS_URL:
    "redis[s]://, redis[s]+sentinel:// or redis[s]+cluster:// address of what joins many nodes; absent: this is the only one (NODE_EXTRA_CA_CERTS names the certificate of a private authority)",
  API_KEYS: "comma-separated keys with which servers authenticate",
  JWT_SECRET: "secret of members' tokens signed with HS256, at least 32 bytes; or one of the next two",
  JWT_PUBLIC_KEY: "public key (PEM) of members' tokens: RSA of at least 2048 bits (RS256) or EC P-256 (ES256)",
  JWKS_URL: "address of the JSON Web Key Set of members' tokens (RS256, ES256); https, or http on this machine",
  JWT_ISSUER: "the `iss` that tokens must have (not checked)",
  JWT_AUDIENCE: "the `aud` that tokens must have (not checked)",
  DISCOURSE_SECRET: "secret of the Discourse webhook (absent in production: hooks are refused)",
  ALLOWED_ORIGINS: "comma-separated origins of pages that may connect, or * (the service's own only)",
  TRUST_PROXY: "true, false, the number of proxies in front, or comma-separated addresses and subnets (false)",
  SESSION_POLICY: "multi, or single: a member's newest connection replaces the older one (multi)",
  GUESTS: "on or off: live boards without a token, of public topics only (off)",
  DEMO: "on or off: the demo forum, where anybody signs in (on; with NODE_ENV=production off)",
  PUSH: "on or off: web push to members who are not connected or have not seen a notification (on)",
  PUSH_AFTER: "seconds after which a connected member is pushed what they have not seen, 1 to 86400 (60)",
  PUSH_PRIVATE: "on or off: push services at private addresses, such as one of your own (off)",
  VAPID_SUBJECT: "mailto: or https: address at which push services find the operator (the first https one of ALLOWED_ORIGINS)",
  KEEP_DAYS: "days for which entries are kept; 0: for ever (90)",
  KEEP_ENTRIES: "entries kept for each member; 0: all (10000)",
  LOG_LEVEL: "fatal, error, warn, info, debug, trace or silent (info)",
  WATCHDOG: "seconds without a sign of life after which the process is killed from outside; 0: never (with REDIS_URL 3, else 0)",
  OTEL_EXPORTER_OTLP_ENDPOINT: "http(s):// address of an OpenTelemetry collector to which traces go by http/protobuf; absent: no traces",
  NODE_NAME: "name of this process in logs, 1 to 64 letters, digits, dots, dashes and underscores (host name and process id)",
} as const;

export type VariableName = keyof typeof VARIABLES;

/** What was set, by variable. An empty value counts as not set, as orchestrators often cannot leave one out. */
export type Settings = Readonly<Partial<Record<VariableName, string>>>;

const NAMES = Object.keys(VARIABLES) as VariableName[];

function flagOf(name: VariableName): string {
  return name.toLowerCase().replaceAll("_", "-");
}

/** True when the command line asks for the help text instead of a start. */
export function wantsHelp(argv: string[]): boolean {
  return argv.includes("--help") || argv.includes("-h");
}

/** The text that `--help` prints. */
export function helpText(): string {
  const width = Math.max(...NAMES.map((name) => flagOf(name).length)) + 2;
  const lines = NAMES.map((name) => `  --${flagOf(name).padEnd(width)}${VARIABLES[name]}`);
  return [
    "Usage: npm start -- [--flag value | --flag=value] …",
    "",
    "Each flag is also a variable of the environment (--data-dir is DATA_DIR); the flag wins. Defaults are in parentheses.",
    "Give secrets by the environment: other users of the machine can read a command line.",
    "",
    ...lines,
    `  --${"help".padEnd(width)}prints this text`,
    "",
    "NODE_ENV=production (environment only): no keys are generated, and no demo unless it is asked for.",
    "",
  ].join("\n");
}

/**
 * Environment and command line, merged; the command line wins.
 * @param argv without the program and the script: `process.argv.slice(2)`.
 * @throws ConfigError for a flag that does not exist, or has no value, or is given twice.
 */
export function readSettings(env: NodeJS.ProcessEnv, argv: string[]): Settings {
  const settings: Partial<Record<VariableName, string>> = {};
  for (const name of NAMES) {
    const value = env[name];
    if (value !== undefined && value.trim() !== "") settings[name] = value;
  }
  const given = new Set<VariableName>();
  const options = Object.fromEntries(NAMES.map((name) => [flagOf(name), { type: "string" as const }]));
  // Not strict: parseArgs would word the faults itself, and its messages repeat values, which may be secrets.
  const { tokens } = parseArgs({ args: argv, options, strict: false, allowPositionals: true, tokens: true });
  for (const token of tokens) {
    if (token.kind !== "option") {
      throw new ConfigError("command line", "there is a value that belongs to no flag", "--flag value or --flag=value (see --help)");
    }
    const name = NAMES.find((known) => flagOf(known) === token.name);
    if (name === undefined)
      throw new ConfigError(`--${token.name.slice(0, 40)}`, "there is no such flag", "one of those that --help lists");
    const { value } = token;
    if (value === undefined || (!token.inlineValue && value.startsWith("--"))) {
      throw new ConfigError(name, `the flag ${token.rawName} has no value`, `${token.rawName} VALUE`);
    }
    if (given.has(name)) throw new ConfigError(name, `the flag ${token.rawName} is given twice`, "it once");
    given.add(name);
    if (value.trim() === "") delete settings[name];
    else settings[name] = value;
  }
  return settings;
}

/** One of the words, or the fallback where nothing is set. */
export function wordOf<W extends string>(settings: Settings, name: VariableName, words: readonly W[], fallback: W): W {
  const value = settings[name]?.trim();
  if (value === undefined) return fallback;
  const word = words.find((known) => known === value);
  if (word === undefined) throw new ConfigError(name, `${shown(value)} is none of its values`, words.join(", "));
  return word;
}

/** A whole number between the two, or the fallback where nothing is set. */
export function numberOf(settings: Settings, name: VariableName, least: number, most: number, fallback: number): number {
  const value = settings[name]?.trim();
  if (value === undefined) return fallback;
  const expected = `a whole number from ${least} to ${most}`;
  if (!/^\d{1,15}$/.test(value)) throw new ConfigError(name, `${shown(value)} is not a whole number`, expected);
  const number = Number(value);
  if (number < least || number > most) throw new ConfigError(name, `${shown(value)} is out of range`, expected);
  return number;
}

/** The parts of a comma-separated list, without white space around them; a list that is not set has none. */
export function listOf(settings: Settings, name: VariableName, expected: string): string[] {
  const value = settings[name];
  if (value === undefined) return [];
  const parts = value.split(",").map((part) => part.trim());
  if (parts.includes("")) throw new ConfigError(name, "the list has an empty part", expected);
  return parts;
}
