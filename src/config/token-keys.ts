import { createPublicKey, type KeyObject } from "node:crypto";
import { isIPv4 } from "node:net";
import { ConfigError, shown } from "./config-error.js";
import type { TokenKeys } from "./types.js";
import type { Settings, VariableName } from "./variables.js";

/** Threat: guessing the secret from one token. RFC 7518, section 3.2: a key of HS256 has at least the 256 bits of its hash. */
export const MIN_SECRET_BYTES = 32;

/** Threat: factoring the key. RFC 7518, section 3.3. */
const MIN_RSA_BITS = 2048;

const WAYS = ["JWT_SECRET", "JWT_PUBLIC_KEY", "JWKS_URL"] as const satisfies VariableName[];

/** How tokens are verified as the settings say, or null where they say nothing. */
export function tokenKeysOf(settings: Settings): TokenKeys | null {
  const set = WAYS.filter((name) => settings[name] !== undefined);
  if (set.length > 1)
    throw new ConfigError(set.join(" and "), "more than one way to verify tokens is set", `exactly one of ${WAYS.join(", ")}`);
  if (settings.JWT_SECRET !== undefined) return { kind: "secret", secret: secretOf(settings.JWT_SECRET) };
  if (settings.JWT_PUBLIC_KEY !== undefined) return publicKeyOf(settings.JWT_PUBLIC_KEY);
  if (settings.JWKS_URL !== undefined) return { kind: "jwks", url: jwksUrlOf(settings.JWKS_URL) };
  return null;
}

function secretOf(text: string): Uint8Array {
  const secret = new TextEncoder().encode(text);
  if (secret.length < MIN_SECRET_BYTES) {
    throw new ConfigError(
      "JWT_SECRET",
      `it has ${secret.length} bytes`,
      `at least ${MIN_SECRET_BYTES}, such as \`openssl rand -base64 32\` makes`,
    );
  }
  return secret;
}

function publicKeyOf(text: string): TokenKeys {
  const expected = `a PEM public key: RSA of at least ${MIN_RSA_BITS} bits (RS256) or EC P-256 (ES256)`;
  const refuse = (fault: string) => new ConfigError("JWT_PUBLIC_KEY", fault, expected);
  // Environment files often cannot hold line breaks, so \n may stand for them.
  const pem = text.replaceAll("\\r", "").replaceAll("\\n", "\n").trim();
  if (/PRIVATE KEY-----/.test(pem)) throw refuse("it holds a private key, which does not belong here");
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    throw refuse("it cannot be read as a public key");
  }
  const details = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa") {
    const bits = details.modulusLength ?? 0;
    if (bits < MIN_RSA_BITS) throw refuse(`its RSA key has ${bits} bits`);
    return { kind: "public-key", key, algorithm: "RS256" };
  }
  if (key.asymmetricKeyType === "ec") {
    if (details.namedCurve !== "prime256v1") throw refuse(`its curve is ${shown(details.namedCurve ?? "unknown")}`);
    return { kind: "public-key", key, algorithm: "ES256" };
  }
  throw refuse(`its type is ${shown(key.asymmetricKeyType ?? "unknown")}`);
}

function jwksUrlOf(text: string): URL {
  const expected = "an https address without a user name or password, or http on this machine";
  const trimmed = text.trim();
  if (!URL.canParse(trimmed)) throw new ConfigError("JWKS_URL", "it is not an address", expected);
  const url = new URL(trimmed);
  if (url.username !== "" || url.password !== "") throw new ConfigError("JWKS_URL", "it holds a user name or password", expected);
  // Over plain http anybody on the way could hand out keys of their own, and be every member.
  if (url.protocol === "http:" && !isLoopback(url.hostname)) throw new ConfigError("JWKS_URL", "it is http to another machine", expected);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    throw new ConfigError("JWKS_URL", `its scheme is ${shown(url.protocol)}`, expected);
  return url;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || (isIPv4(hostname) && hostname.startsWith("127."));
}
