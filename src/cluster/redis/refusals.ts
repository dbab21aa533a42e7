import type { HostPort } from "../../config/types.js";
import { RedisRefused } from "../types.js";
import { type Dialer, NOBODY, reasonOf } from "./connection.js";

/** What Belfry asks of a Redis: a user with less cannot be used. */
const COMMANDS = "+hello +ping +publish +subscribe +psubscribe, in a Cluster also +cluster|slots +cluster|info, and allchannels";

/** Characters of an answer that are shown. Threat: a server that is not Redis fills the terminal. */
const MAX_SHOWN = 120;

/** Errors that Redis answers, by how they begin. */
const ANSWERS: Array<[RegExp, string]> = [
  [/^(WRONGPASS|ERR invalid password|ERR AUTH)/, "Redis does not accept this user and password; correct them"],
  [/^NOAUTH/, "Redis asks for a password, and the address has none; write USER:PASSWORD@ or :PASSWORD@ before the host"],
  [/^NOPERM/, `the user may not do what Belfry needs; allow it ${COMMANDS}`],
  [/^DENIED/, "Redis runs in protected mode and serves its own machine only; give it a password or turn that mode off"],
  [/^(NOPROTO|ERR unknown command .?HELLO)/i, "this Redis is older than 6.0; install a newer one"],
  [
    /^Unknown RESP type/,
    "what answers there does not speak as Redis does; correct the address, or write rediss:// where the port speaks TLS",
  ],
];

/** Codes of errors with a certificate, which only a server that speaks TLS has. */
const CERTIFICATE = /CERT|SIGNATURE|ISSUER|REVOKED/;

/** Codes of errors of TLS. */
const CODES: Array<[RegExp, string]> = [
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|ERR_SSL_UNKNOWN_PROTOCOL|^EPROTO$/,
    "the port does not speak TLS; write redis:// or name the port that does",
  ],
  [
    /ALERT_CERTIFICATE_REQUIRED|ALERT_HANDSHAKE_FAILURE/,
    "Redis asks for a certificate of the client, which Belfry has none of; set tls-auth-clients no",
  ],
  [/ALTNAME_INVALID|HOSTNAME_MISMATCH/, "Redis's certificate is for another host; name Redis as its certificate does"],
  [CERTIFICATE, "Redis's certificate is not accepted; name the certificate of its authority in NODE_EXTRA_CA_CERTS"],
];

/** A refusal where waiting cannot help, or null where it may. */
export function refusalOf(error: unknown, { host, port }: HostPort): RedisRefused | null {
  if (error instanceof RedisRefused) return error;
  const text = reasonOf(error);
  const code = codeOf(error);
  const found = ANSWERS.find(([pattern]) => pattern.test(text)) ?? CODES.find(([pattern]) => pattern.test(code));
  if (found === undefined) return null;
  const said = (code === "" ? text : code).slice(0, MAX_SHOWN).replace(/\p{Cc}+/gu, " ");
  return new RedisRefused(`REDIS_URL: ${found[1]} (${host}:${port}: ${said}).`, { cause: error });
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

/** The refusal of a server of another kind than the address says. */
export function wrongKind(fault: string, advice: string): RedisRefused {
  return new RedisRefused(`REDIS_URL: ${fault}; ${advice}.`);
}

/**
 * Why a server that was not reached never will be: it speaks TLS and the address says it does not, or the other way round. A Redis answers
 * nothing at all to the wrong one. Gives no credentials. Null where that is not the fault.
 */
export async function tlsRefusalOf(dialer: Dialer, server: HostPort): Promise<RedisRefused | null> {
  const { tls } = dialer.access;
  const connection = dialer.dial(server, "belfry-inquiry", { access: { tls: !tls, ...NOBODY } });
  try {
    await connection.open();
  } catch (error) {
    if (!/^(NOAUTH|DENIED|ERR)/.test(reasonOf(error)) && !CERTIFICATE.test(codeOf(error))) return null;
  } finally {
    connection.end(new Error("it is not needed any more"));
  }
  const at = `${server.host}:${server.port}`;
  return tls
    ? wrongKind(`${at} does not speak TLS`, "write redis for rediss, or name the port that does")
    : wrongKind(`${at} speaks TLS`, "write rediss for redis");
}
