import { describe, expect, it } from "@jest/globals";
import type { Config } from "../../../src/config/index.js";
import { addressOf } from "../../../src/http/index.js";

/** What is told of a request over a connection from `remoteAddress` that says `forwarded`. */
function told(trust: Config["trustProxy"], remoteAddress: string | undefined, forwarded?: string): string | null {
  const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  return addressOf(trust)({ headers, socket: { remoteAddress } });
}

describe("the address of a client", () => {
  it.each<[string, Config["trustProxy"], string, string | undefined, string]>([
    ["is the connection's", false, "192.0.2.1", undefined, "192.0.2.1"],
    ["is not what somebody says who is not trusted", false, "192.0.2.1", "198.51.100.7", "192.0.2.1"],
    ["is not what somebody says behind no proxy", 0, "192.0.2.1", "198.51.100.7", "192.0.2.1"],
    ["is what one proxy saw, whatever its client said before", 1, "10.0.0.1", "203.0.113.9, 198.51.100.7", "198.51.100.7"],
    ["is what the farther of two proxies saw", 2, "10.0.0.1", "203.0.113.9, 198.51.100.7,10.0.0.2", "198.51.100.7"],
    ["is the farthest that is known where proxies are missing", 3, "10.0.0.1", "198.51.100.7", "198.51.100.7"],
    ["is the first one named where everybody is trusted", true, "10.0.0.1", "203.0.113.9, 198.51.100.7", "203.0.113.9"],
    ["is that in front of the trusted subnets", "10.0.0.0/8,loopback", "127.0.0.1", "203.0.113.9, 198.51.100.7, 10.1.2.3", "198.51.100.7"],
    ["is the connection's where it is of no trusted subnet", "10.0.0.0/8", "192.0.2.1", "198.51.100.7", "192.0.2.1"],
    ["is the proxy's where it forwards none", 1, "10.0.0.1", undefined, "10.0.0.1"],
    ["is the proxy's where it forwards an empty one", 1, "10.0.0.1", "", "10.0.0.1"],
    ["is the proxy's where it forwards what is none", true, "10.0.0.1", "203.0.113.9, <script>", "10.0.0.1"],
    ["is the last one known before what is none", true, "10.0.0.1", "203.0.113.9, unknown, 198.51.100.7", "198.51.100.7"],
    ["is shown in its older form where the socket is for both", false, "::ffff:192.0.2.1", undefined, "192.0.2.1"],
    ["may be forwarded in either form", 1, "::ffff:10.0.0.1", " ::FFFF:198.51.100.7 ", "198.51.100.7"],
    ["may be one of version 6", 1, "::1", "2001:db8::7", "2001:db8::7"],
  ])("%s (trust %p)", (_what, trust, remote, forwarded, address) => {
    expect(told(trust, remote, forwarded)).toBe(address);
  });

  it("is not known of a connection that has ended", () => {
    expect(told(true, undefined, "198.51.100.7")).toBeNull();
  });
});
