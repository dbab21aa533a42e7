import { isIP } from "node:net";
import { ConfigError } from "./config-error.js";
import type { HostPort, RedisTarget } from "./types.js";
import type { Settings } from "./variables.js";

const PORT = 6379;
const SENTINEL_PORT = 26_379;

const EXPECTED = "redis[s]://[USER:PASSWORD@]HOST[:PORT], redis[s]+sentinel://HOST,…/MASTERNAME or redis[s]+cluster://HOST,…";

const URL_PARTS = /^(rediss?)(?:[+-](sentinel|cluster))?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^?#]*))?([?#].*)?$/i;

/**
 * The Redis that joins this node to others, or null where it is the only one. Nothing of the address is ever shown: it may hold a password.
 * @throws ConfigError
 */
export function redisOf(settings: Settings): RedisTarget | null {
  const text = settings.REDIS_URL?.trim();
  if (text === undefined) return null;
  if (settings.MONGODB_URL === undefined) {
    throw new ConfigError("REDIS_URL", "it is set without MONGODB_URL, and nodes share no embedded store", "MONGODB_URL too, or neither");
  }
  const parts = URL_PARTS.exec(text);
  if (parts === null) throw refuse("it is not a Redis address");
  const [, scheme = "", suffix = "single", access, hosts = "", path = "", rest] = parts;
  if (rest !== undefined) {
    throw refuse(
      "it has a part after ? or #, which says nothing here (name the certificate of a private authority in NODE_EXTRA_CA_CERTS; write %3F and %23 in a password)",
    );
  }
  if (path.includes("@")) throw refuse("it has an @ after its hosts (a / in a password is written %2F)");
  const common = { tls: scheme.toLowerCase() === "rediss", ...credentialsOf(access) };
  const kind = suffix.toLowerCase();
  if (kind === "sentinel") return { ...common, kind, sentinels: hostsOf(hosts, SENTINEL_PORT), master: masterOf(path) };
  checkDatabase(path);
  const servers = hostsOf(hosts, PORT);
  if (kind === "cluster") return { ...common, kind, seeds: servers };
  const [server, ...others] = servers;
  if (server === undefined || others.length > 0) {
    throw new ConfigError(
      "REDIS_URL",
      "it names several hosts, and redis:// is for one",
      "redis+sentinel://HOST,…/MASTERNAME for Sentinels, or redis+cluster://HOST,… for a Cluster",
    );
  }
  return { ...common, kind: "single", server };
}

function refuse(fault: string): ConfigError {
  return new ConfigError("REDIS_URL", fault, EXPECTED);
}

function credentialsOf(access: string | undefined): Pick<RedisTarget, "username" | "password"> {
  if (access === undefined || access === "") return { username: null, password: null };
  const [username = "", ...password] = access.split(":");
  if (password.length === 0) throw refuse("it names a user without a password (a password alone is written :PASSWORD@)");
  return { username: decoded(username) || null, password: decoded(password.join(":")) || null };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse("it has a % that begins no character (a % in a password is written %25)");
  }
}

function hostsOf(text: string, port: number): HostPort[] {
  return text.split(",").map((one) => {
    const [, bracketed, name = "", digits] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(one.trim()) ?? [];
    const valid = bracketed === undefined ? /^\w([\w.-]{0,251}\w)?\.?$/.test(name) : isIP(bracketed) === 6;
    const number = digits === undefined ? port : Number(digits);
    if (!valid || number < 1 || number > 65_535) throw refuse("one of its hosts is not HOST, HOST:PORT or [IPv6]:PORT");
    return { host: bracketed ?? name, port: number };
  });
}

function masterOf(path: string): string {
  const [name = "", database = "", ...rest] = path.split("/");
  const master = decoded(name);
  if (!/^[\x21-\x7e]{1,255}$/.test(master) || rest.length > 0) {
    throw refuse("it does not name the master that the Sentinels watch, after the hosts");
  }
  checkDatabase(database);
  return master;
}

/** Channels know no databases, so a number is taken and means nothing; another path is a mistake. */
function checkDatabase(path: string): void {
  if (!/^\d{0,5}$/.test(path)) throw refuse("what follows its hosts is not the number of a database");
}
