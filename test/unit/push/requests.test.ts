import { createECDH, randomBytes } from "node:crypto";
import { describe, expect, it } from "@jest/globals";
import { isPrivateAddress, literalAddressOf } from "../../../src/push/addresses.js";
import { idOf, parseEndpoint, parseSubscription, userAgentOf } from "../../../src/push/requests.js";

const ENDPOINT = "https://push.example/send/abc";
const KEYS = { p256dh: createECDH("prime256v1").generateKeys().toString("base64url"), auth: randomBytes(16).toString("base64url") };

const faultOf = (payload: unknown) => {
  try {
    parseSubscription(payload, false);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
};

describe("a browser's subscription", () => {
  it("is taken as the browser writes it", () => {
    expect(parseSubscription({ endpoint: ENDPOINT, expirationTime: null, keys: KEYS }, false)).toEqual({ endpoint: ENDPOINT, keys: KEYS });
  });

  it("is the same device in whatever spelling its endpoint comes", () => {
    const { endpoint } = parseSubscription({ endpoint: "https://PUSH.example:443/send/abc#x", keys: KEYS }, false);
    expect(endpoint).toBe(ENDPOINT);
    expect(parseEndpoint({ endpoint: "HTTPS://push.example/send/abc" })).toBe(ENDPOINT);
    expect(idOf(endpoint)).toMatch(/^[\w-]{22}$/);
    expect(idOf(`${ENDPOINT}d`)).not.toBe(idOf(ENDPOINT));
  });

  it.each([
    [null],
    [{}],
    [{ endpoint: ENDPOINT }],
    [{ endpoint: "http://push.example/x", keys: KEYS }],
    [{ endpoint: "https://user:secret@push.example/x", keys: KEYS }],
    [{ endpoint: "javascript:alert(1)", keys: KEYS }],
    [{ endpoint: `https://push.example/${"x".repeat(2_048)}`, keys: KEYS }],
    [{ endpoint: ENDPOINT, keys: { ...KEYS, auth: "short" } }],
    [{ endpoint: ENDPOINT, keys: { ...KEYS, auth: 7 } }],
    [{ endpoint: ENDPOINT, keys: { ...KEYS, p256dh: randomBytes(65).toString("base64url") } }],
    [{ endpoint: ENDPOINT, keys: { ...KEYS, p256dh: `${KEYS.p256dh}!` } }],
  ])("is refused where something of it cannot be: %j", (payload) => {
    expect(faultOf(payload)).toMatch(/^(The subscription|endpoint|keys)/);
  });

  it.each([
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[::ffff:10.0.0.1]",
    "[fe80::1]",
    "[fd00::1]",
    "[2002:a00:1::]",
    "[64:ff9b::a00:1]",
    "[ff02::1]",
  ])("is refused at %s, which is no address of the public network, unless that is allowed", (host) => {
    const payload = { endpoint: `https://${host}/x`, keys: KEYS };
    expect(faultOf(payload)).toBe("endpoint must be an address of the public network.");
    expect(parseSubscription(payload, true).endpoint).toContain("https://");
  });

  it.each(["8.8.8.8", "172.32.0.1", "[2606:4700::1111]", "[64:ff9b::808:808]", "[2a00:1450:4001::1]"])("may be at %s", (host) => {
    expect(parseSubscription({ endpoint: `https://${host}/x`, keys: KEYS }, false).endpoint).toBe(`https://${host}/x`);
    expect(isPrivateAddress(literalAddressOf(new URL(`https://${host}/`)) as string)).toBe(false);
  });

  it("keeps a short name of the browser, without what breaks lines", () => {
    expect(userAgentOf("Mozilla/5.0 (X11)\n")).toBe("Mozilla/5.0 (X11)");
    expect(userAgentOf("x".repeat(1_000))).toHaveLength(200);
    expect([userAgentOf(undefined), userAgentOf("  ")]).toEqual([null, null]);
  });
});
