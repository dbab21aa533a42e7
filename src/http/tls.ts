import type { Server } from "node:http";
import { Server as HttpsServer } from "node:https";
import type { SecureContextOptions } from "node:tls";
import type { TlsPair } from "../config/types.js";

/** Threat: versions that are broken (RFC 8996). Said here, because a flag of Node's own can lower what is its default. */
const MIN_VERSION = "TLSv1.2";

/** What a TLS server is made with. */
export function tlsOptions({ cert, key }: Pick<TlsPair, "cert" | "key">): SecureContextOptions {
  return { cert, key, minVersion: MIN_VERSION };
}

/**
 * Serves new connections with another certificate; those that are open keep theirs.
 * @param pair read and checked by `readTlsPair`.
 * @throws Error where the server speaks plain HTTP.
 */
export function renewTls(server: Server, pair: Pick<TlsPair, "cert" | "key">): void {
  if (!(server instanceof HttpsServer)) throw new Error("This server was started without TLS.");
  // The new context replaces the old one as a whole: what is not named again falls back to Node's defaults.
  server.setSecureContext(tlsOptions(pair));
}
