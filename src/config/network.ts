import { isIP } from "node:net";
import { ConfigError, shown } from "./config-error.js";
import type { Config } from "./types.js";
import { listOf, type Settings } from "./variables.js";

/** Threat: a number that trusts whatever a client claims to be. No chain of proxies is longer. */
const MAX_PROXIES = 16;

/** Names of subnets that Express knows (its manual, "trust proxy"). */
const NAMED_SUBNETS = new Set(["loopback", "linklocal", "uniquelocal"]);

/** The address to listen on. Outside production nobody else gets in by default: the demo's sign-ins ask for no password. */
export function hostOf(settings: Settings, production: boolean): string {
  const host = settings.HOST?.trim() ?? (production ? "0.0.0.0" : "127.0.0.1");
  if (isIP(host) === 0 && !/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(host)) {
    throw new ConfigError("HOST", `${shown(host)} is neither an address nor a host name`, "one such as 127.0.0.1, :: or localhost");
  }
  return host;
}

/** The origins in the form in which browsers send them, or `*`. */
export function allowedOriginsOf(settings: Settings): string[] {
  const expected = "comma-separated origins such as https://forum.example, without a path, or * alone";
  const origins = listOf(settings, "ALLOWED_ORIGINS", expected);
  if (origins.length === 1 && origins[0] === "*") return ["*"];
  return origins.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    // Compared without regard to case and default port, and with nothing else: a path would promise a limit that no browser keeps.
    const bare = url !== null && /^https?:$/.test(url.protocol) && /^https?:\/\/[^/?#@\\]+$/i.test(text);
    if (!bare) throw new ConfigError("ALLOWED_ORIGINS", `${shown(text)} is not an origin`, expected);
    return url.origin;
  });
}

/** What Express takes as `trust proxy`. */
export function trustProxyOf(settings: Settings): Config["trustProxy"] {
  const value = settings.TRUST_PROXY?.trim() ?? "false";
  if (value === "true") return true;
  if (value === "false") return false;
  const expected = `true, false, the number of proxies (0 to ${MAX_PROXIES}), or addresses and subnets such as 10.0.0.0/8,loopback`;
  if (/^\d+$/.test(value)) {
    const hops = Number(value);
    if (hops > MAX_PROXIES) throw new ConfigError("TRUST_PROXY", `${shown(value)} is out of range`, expected);
    return hops;
  }
  const subnets = listOf(settings, "TRUST_PROXY", expected);
  for (const subnet of subnets) {
    if (!isSubnet(subnet)) throw new ConfigError("TRUST_PROXY", `${shown(subnet)} is neither an address nor a subnet`, expected);
  }
  return subnets.join(",");
}

function isSubnet(text: string): boolean {
  if (NAMED_SUBNETS.has(text)) return true;
  const [address = "", bits, ...rest] = text.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** The store's address, or null for the embedded store. Its value is never shown: it may hold a password. */
export function mongodbUrlOf(settings: Settings): string | null {
  const url = settings.MONGODB_URL?.trim();
  const expected = "mongodb://HOST[:PORT],…/DATABASE?replicaSet=NAME or mongodb+srv://HOST/DATABASE";
  if (url === undefined) return null;
  if (!/^mongodb(\+srv)?:\/\/[^\s/]+(\/\S*)?$/.test(url)) throw new ConfigError("MONGODB_URL", "it is not a MongoDB address", expected);
  return url;
}
