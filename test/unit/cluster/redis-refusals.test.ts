import { describe, expect, it } from "@jest/globals";
import { reasonOf } from "../../../src/cluster/redis/connection.js";
import { refusalOf } from "../../../src/cluster/redis/refusals.js";
import { RedisRefused } from "../../../src/cluster/types.js";

const server = { host: "r", port: 6379 };

/** An error as Redis answers it, or `code …`: as the network or TLS give it. */
function errorOf(fault: string): Error {
  const [, code] = /^code (\w+)$/.exec(fault) ?? [];
  return code === undefined ? new Error(fault) : Object.assign(new Error("a fault"), { code });
}

describe("a fault of the connection to Redis", () => {
  it.each<[string, RegExp]>([
    ["WRONGPASS invalid username-password pair or user is disabled.", /does not accept this user and password/],
    ["NOAUTH Authentication required.", /write USER:PASSWORD@ or :PASSWORD@/],
    ["NOPERM this user has no permissions to run the 'publish' command", /allow it \+hello/],
    ["DENIED Redis is running in protected mode because …", /protected mode/],
    ["ERR unknown command `HELLO`, with args beginning with: `3`", /older than 6\.0/],
    ['Unknown RESP type 72 "H"', /does not speak as Redis does/],
    ["code ERR_SSL_WRONG_VERSION_NUMBER", /does not speak TLS/],
    ["code ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", /certificate of the client.*tls-auth-clients no/],
    ["code ERR_TLS_CERT_ALTNAME_INVALID", /for another host/],
    ["code DEPTH_ZERO_SELF_SIGNED_CERT", /NODE_EXTRA_CA_CERTS/],
    ["code UNABLE_TO_VERIFY_LEAF_SIGNATURE", /NODE_EXTRA_CA_CERTS/],
    ["code CERT_HAS_EXPIRED", /NODE_EXTRA_CA_CERTS/],
  ])("that waiting does not end is a refusal in one line: %s", (fault, text) => {
    const refused = refusalOf(errorOf(fault), server);
    expect(refused).toBeInstanceOf(RedisRefused);
    expect(refused?.message).toMatch(/^REDIS_URL: .*r:6379: /);
    expect(refused?.message).toMatch(text);
  });

  it("is shown without control characters and cut", () => {
    const { message = "" } = refusalOf(new Error(`Unknown RESP type 27 "\u001b${"x".repeat(10_000)}`), server) ?? {};
    expect(message).not.toMatch(/\p{Cc}/u);
    expect(message.length).toBeLessThan(400);
  });

  it.each([
    "code ECONNREFUSED",
    "code ENOTFOUND",
    "code ECONNRESET",
    "no answer within 2000 ms",
    "ERR max number of clients reached",
    "LOADING Redis is loading the dataset in memory",
    "Socket closed unexpectedly",
  ])("that may pass is none: %s", (fault) => {
    expect(refusalOf(errorOf(fault), server)).toBeNull();
  });

  it("says what happened at each address of a name", () => {
    expect(
      reasonOf(new AggregateError([new Error("connect ECONNREFUSED ::1:6379"), new Error("connect ECONNREFUSED 127.0.0.1:6379")])),
    ).toBe("connect ECONNREFUSED ::1:6379, connect ECONNREFUSED 127.0.0.1:6379");
  });
});
