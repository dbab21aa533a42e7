import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "@jest/globals";
import { exportJWK, type JWK, SignJWT } from "jose";
import { createTokenVerifier, MAX_TOKEN_LENGTH, mintDemoToken, rankOf } from "../../../src/auth/index.js";
import type { TokenKeys } from "../../../src/config/index.js";
import { BelfryError } from "../../../src/errors.js";

const secret = new TextEncoder().encode("a-secret-of-more-than-thirty-two-bytes");
const other = new TextEncoder().encode("another-secret-of-thirty-two-bytes-or-more");
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const otherRsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });

const verifierOf = (tokenKeys: TokenKeys, claims: { issuer?: string; audience?: string } = {}) =>
  createTokenVerifier({ tokenKeys, jwtIssuer: claims.issuer ?? null, jwtAudience: claims.audience ?? null });
const bySecret = verifierOf({ kind: "secret", secret });
const byRsa = verifierOf({ kind: "public-key", key: rsa.publicKey, algorithm: "RS256" });
const byEc = verifierOf({ kind: "public-key", key: ec.publicKey, algorithm: "ES256" });

const soon = () => Math.floor(Date.now() / 1000) + 60;
const good = () => ({ sub: "31", exp: soon() });
const sign = (claims: Record<string, unknown>, key: Uint8Array | KeyObject = secret, alg = "HS256", kid?: string) =>
  new SignJWT(claims).setProtectedHeader(kid === undefined ? { alg } : { alg, kid }).sign(key);
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

async function refusalOf(verifier: ReturnType<typeof verifierOf>, token: unknown): Promise<BelfryError> {
  const error: unknown = await verifier.verify(token).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(BelfryError);
  if (typeof token === "string" && token !== "") expect((error as Error).message).not.toContain(token);
  return error as BelfryError;
}

describe("a valid token", () => {
  it("says who, with which name and roles, and until when", async () => {
    const exp = soon();
    const token = await sign({ sub: "31", exp, name: "Ada", roles: ["owner", "moderator", "moderator"] });
    expect(await bySecret.verify(token)).toEqual({ user: "31", roles: ["owner", "moderator"], name: "Ada", expiresAt: exp * 1000 });
  });

  it("needs neither a name nor roles", async () => {
    expect(await bySecret.verify(await sign(good()))).toMatchObject({ roles: [], name: null });
  });

  it("has a name of 300 characters at most, which is a text or none", async () => {
    const nameOf = async (name: unknown) => (await bySecret.verify(await sign({ ...good(), name }))).name;
    expect(await nameOf("🦉".repeat(301))).toBe("🦉".repeat(300));
    for (const name of ["", 7, null, { $gt: "" }, ["Ada"]]) expect(await nameOf(name)).toBeNull();
  });

  it("has 32 roles at most, those that give rights among them; names of no use are left out", async () => {
    const others = Array.from({ length: 40 }, (_, n) => `team-${n}`);
    const rolesOf = async (roles: string[]) => (await bySecret.verify(await sign({ ...good(), roles }))).roles;
    expect(await rolesOf(others)).toEqual(others.slice(0, 32));
    expect(await rolesOf([...others, "moderator"])).toEqual(["moderator", ...others.slice(0, 31)]);
    expect(await rolesOf(["", "x".repeat(65), "a\0b", "x".repeat(64)])).toEqual(["x".repeat(64)]);
  });

  it("is one of the configured key, be it a secret, RSA or EC", async () => {
    for (const [verifier, key, alg] of [
      [bySecret, secret, "HS256"],
      [byRsa, rsa.privateKey, "RS256"],
      [byEc, ec.privateKey, "ES256"],
    ] as const) {
      expect((await verifier.verify(await sign(good(), key, alg))).user).toBe("31");
    }
  });

  it("has the issuer and audience that are asked for", async () => {
    const verifier = verifierOf({ kind: "secret", secret }, { issuer: "forum", audience: "belfry" });
    expect((await verifier.verify(await sign({ ...good(), iss: "forum", aud: ["x", "belfry"] }))).user).toBe("31");
    expect((await refusalOf(verifier, await sign({ ...good(), iss: "x", aud: "belfry" }))).message).toContain("`iss`");
    expect((await refusalOf(verifier, await sign({ ...good(), iss: "forum" }))).message).toContain("`aud`");
  });

  it("is what the demo mints", async () => {
    const verifier = verifierOf({ kind: "secret", secret }, { issuer: "forum" });
    const identity = await verifier.verify(await mintDemoToken(secret, "ada", 60, "Ada", { issuer: "forum", audience: null }));
    expect(identity).toMatchObject({ user: "ada", roles: [], name: "Ada" });
  });

  it("may expire later than a Date can tell", async () => {
    expect((await bySecret.verify(await sign({ sub: "31", exp: 1e300 }))).expiresAt).toBe(8.64e15);
  });
});

describe("a rank", () => {
  it("is the highest that the roles give", () => {
    expect(rankOf(["owner", "moderator", "admin"])).toBe("admin");
    expect(rankOf(["moderator"])).toBe("moderator");
    for (const roles of [[], ["owner"], ["Admin"], ["admins"]]) expect(rankOf(roles)).toBeNull();
  });
});

describe("a token is refused", () => {
  const past = () => Math.floor(Date.now() / 1000);
  it.each<[string, () => Promise<unknown>, string, RegExp]>([
    ["that expires this second", () => sign({ sub: "31", exp: past() }), "token_expired", /expired/],
    ["without exp", () => sign({ sub: "31" }), "unauthorized", /`exp`/],
    ["whose exp is a text", () => sign({ sub: "31", exp: "tomorrow" as never }), "unauthorized", /`exp`|not a valid/],
    ["without sub", () => sign({ exp: soon() }), "unauthorized", /`sub`/],
    ["whose sub is a number", () => sign({ sub: 31 as never, exp: soon() }), "unauthorized", /`sub`/],
    ["whose sub is an operator", () => sign({ sub: { $gt: "" } as never, exp: soon() }), "unauthorized", /`sub`/],
    ["whose sub is empty", () => sign({ sub: "", exp: soon() }), "unauthorized", /`sub`/],
    ["whose sub is too long", () => sign({ sub: "x".repeat(129), exp: soon() }), "unauthorized", /`sub`/],
    ["whose roles are a text", () => sign({ ...good(), roles: "admin" }), "unauthorized", /`roles`/],
    ["whose roles hold a number", () => sign({ ...good(), roles: ["admin", 1] }), "unauthorized", /`roles`/],
    ["whose roles are null", () => sign({ ...good(), roles: null }), "unauthorized", /`roles`/],
    ["that is not valid yet", () => sign({ ...good(), nbf: soon() }), "unauthorized", /not valid yet/],
    ["of another secret", () => sign(good(), other), "unauthorized", /signature/],
    ["of another algorithm", () => sign(good(), new Uint8Array(64), "HS512"), "unauthorized", /`alg`/],
    ["without a signature", async () => `${part({ alg: "none" })}.${part(good())}.`, "unauthorized", /`alg`|valid signed JWT/],
    [
      "with a changed payload",
      async () => (await sign(good())).replace(/\.[^.]+\./, `.${part({ ...good(), sub: "1" })}.`),
      "unauthorized",
      /signature/,
    ],
    ["that is too long", async () => `${await sign(good())}${"x".repeat(MAX_TOKEN_LENGTH)}`, "unauthorized", /longer/],
    ["that is no JWT", async () => "abc", "unauthorized", /valid signed JWT/],
    ["that is a number", async () => 7, "unauthorized", /string/],
    ["that is an object", async () => ({ $gt: "" }), "unauthorized", /string/],
    ["that is missing", async () => undefined, "unauthorized", /needed/],
    ["that is empty", async () => "", "unauthorized", /needed/],
  ])("%s", async (_what, make, code, message) => {
    const error = await refusalOf(bySecret, await make());
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it("signed with HS256 and the text of the public key", async () => {
    const pem = new TextEncoder().encode(rsa.publicKey.export({ type: "spki", format: "pem" }).toString());
    expect((await refusalOf(byRsa, await sign(good(), pem))).message).toMatch(/`alg`/);
  });

  it("of another RSA key, or of an EC key where RSA is configured", async () => {
    expect((await refusalOf(byRsa, await sign(good(), otherRsa.privateKey, "RS256"))).message).toMatch(/signature/);
    expect((await refusalOf(byRsa, await sign(good(), ec.privateKey, "ES256"))).message).toMatch(/`alg`/);
  });
});

describe("a key set", () => {
  let published: JWK[] = [];
  let broken = false;
  let fetches = 0;
  const server = createServer((_request, response) => {
    fetches++;
    response.statusCode = broken ? 500 : 200;
    response.end(JSON.stringify({ keys: published }));
  });
  const jwk = async (key: KeyObject, kid: string, alg: string) => ({ ...(await exportJWK(key)), kid, alg, use: "sig" });
  const verifier = () => verifierOf({ kind: "jwks", url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`) });

  beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
  afterAll(
    () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  );
  beforeEach(async () => {
    published = [await jwk(rsa.publicKey, "one", "RS256")];
    broken = false;
    fetches = 0;
  });

  it("is fetched once for many tokens", async () => {
    const keySet = verifier();
    const token = await sign(good(), rsa.privateKey, "RS256", "one");
    await Promise.all([1, 2, 3].map(() => keySet.verify(token)));
    await keySet.verify(token);
    expect(fetches).toBe(1);
  });

  it("may be rotated at any time: a new key works at once, an old one no more", async () => {
    const keySet = verifier();
    await keySet.verify(await sign(good(), rsa.privateKey, "RS256", "one"));
    published = [await jwk(ec.publicKey, "two", "ES256")];
    expect((await keySet.verify(await sign(good(), ec.privateKey, "ES256", "two"))).user).toBe("31");
    expect((await refusalOf(keySet, await sign(good(), rsa.privateKey, "RS256", "one"))).code).toBe("unauthorized");
  });

  it("is not fetched for every made-up key id", async () => {
    const keySet = verifier();
    await keySet.verify(await sign(good(), rsa.privateKey, "RS256", "one"));
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, n) => sign(good(), otherRsa.privateKey, "RS256", `fake-${n}`)));
    for (const error of await Promise.all(tokens.map((token) => refusalOf(keySet, token)))) expect(error.code).toBe("unauthorized");
    expect(fetches).toBeLessThanOrEqual(3);
  });

  it("refuses a symmetric algorithm, and a wrong key under a known id", async () => {
    const pem = new TextEncoder().encode(rsa.publicKey.export({ type: "spki", format: "pem" }).toString());
    expect((await refusalOf(verifier(), await sign(good(), pem, "HS256", "one"))).code).toBe("unauthorized");
    expect((await refusalOf(verifier(), await sign(good(), otherRsa.privateKey, "RS256", "one"))).message).toMatch(/signature/);
  });

  it("that cannot be fetched makes no member unauthorized", async () => {
    broken = true;
    expect((await refusalOf(verifier(), await sign(good(), rsa.privateKey, "RS256", "one"))).code).toBe("unavailable");
    const nowhere = verifierOf({ kind: "jwks", url: new URL("http://127.0.0.1:1/jwks") });
    expect((await refusalOf(nowhere, await sign(good(), rsa.privateKey, "RS256", "one"))).code).toBe("unavailable");
  });
});
