import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { ConfigError, shown } from "./config-error.js";
import type { TlsPair } from "./types.js";
import type { Settings, VariableName } from "./variables.js";

/** Threat: a path that names something else, such as a device without an end. A chain with its key has a few KiB. Bytes. */
const MAX_PEM_BYTES = 1024 * 1024;

const CERTIFICATE = "a file with a certificate and its chain (PEM), the server's own first";
const KEY = "a file with the certificate's private key (PEM), without a passphrase";

/** The pair with which the service serves HTTPS itself, read and checked; null where neither variable is set. @throws ConfigError */
export async function tlsOf(settings: Settings): Promise<TlsPair | null> {
  const certFile = settings.TLS_CERT?.trim();
  const keyFile = settings.TLS_KEY?.trim();
  if (certFile === undefined && keyFile === undefined) return null;
  if (certFile === undefined) throw new ConfigError("TLS_CERT", "it is not set, and TLS_KEY is", `${CERTIFICATE}, or neither of the two`);
  if (keyFile === undefined) throw new ConfigError("TLS_KEY", "it is not set, and TLS_CERT is", `${KEY}, or neither of the two`);
  return readTlsPair({ certFile, keyFile });
}

/**
 * Reads a certificate and its key anew, as at the start and whenever the files may have been replaced.
 * @throws ConfigError for what no client would accept, or no server can use.
 */
export async function readTlsPair({ certFile, keyFile }: Pick<TlsPair, "certFile" | "keyFile">): Promise<TlsPair> {
  const cert = await readPem("TLS_CERT", certFile, CERTIFICATE);
  const key = await readPem("TLS_KEY", keyFile, KEY);
  const leaf = certificateIn(cert, certFile);
  const privateKey = privateKeyIn(key, keyFile);
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new ConfigError("TLS_KEY", `the key in ${shown(keyFile)} is not that of the certificate in ${shown(certFile)}`, KEY);
  }
  // Of the server's own certificate only: that another one of the chain has expired is common, and clients get round it.
  const [from, to] = [new Date(leaf.validFrom), new Date(leaf.validTo)];
  const now = Date.now();
  if (now > to.getTime()) {
    throw new ConfigError("TLS_CERT", `the certificate in ${shown(certFile)} expired at ${to.toISOString()}`, "one that is valid now");
  }
  if (now < from.getTime()) {
    throw new ConfigError(
      "TLS_CERT",
      `the certificate in ${shown(certFile)} is not valid before ${from.toISOString()}`,
      "one that is valid now",
    );
  }
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    // For example a key that is too short, or a chain whose second certificate is cut off.
    throw new ConfigError("TLS_CERT", `TLS cannot use ${shown(certFile)} (${reasonOf(error)})`, CERTIFICATE);
  }
  return { certFile, keyFile, cert, key, validTo: to };
}

async function readPem(variable: VariableName, file: string, expected: string): Promise<string> {
  try {
    const found = await stat(file);
    if (!found.isFile() || found.size > MAX_PEM_BYTES) {
      throw new ConfigError(variable, `${shown(file)} is no file of at most ${MAX_PEM_BYTES} bytes`, expected);
    }
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(variable, `${shown(file)} cannot be read (${(error as NodeJS.ErrnoException).code})`, expected);
  }
}

function certificateIn(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new ConfigError("TLS_CERT", `there is no certificate in PEM in ${shown(file)}`, CERTIFICATE);
  }
}

/** The messages of the decoder are left out: none of them may ever quote a key. */
function privateKeyIn(pem: string, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // Both ways in which PEM says so: that of PKCS #8 and the older one.
    const fault = /^(-----BEGIN|Proc-Type:).*ENCRYPTED/m.test(pem)
      ? `the key in ${shown(file)} has a passphrase`
      : `there is no private key in PEM in ${shown(file)}`;
    throw new ConfigError("TLS_KEY", fault, KEY);
  }
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
