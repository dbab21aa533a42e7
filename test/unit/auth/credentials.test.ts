import { describe, expect, it } from "@jest/globals";
import { ApiKeys, bearerOf, looksLikeJwt } from "../../../src/auth/index.js";

describe("API keys", () => {
  it("match each configured key and nothing near it", () => {
    const keys = new ApiKeys(["first-key", "second-key"]);
    expect(["first-key", "second-key"].map((key) => keys.matches(key))).toEqual([true, true]);
    expect(["", "first-ke", "first-key ", "FIRST-KEY", "first-key,second-key"].map((key) => keys.matches(key))).toEqual(
      Array(5).fill(false),
    );
  });

  it("match nothing when there are none", () => {
    expect(new ApiKeys([]).matches("")).toBe(false);
  });
});

describe("the Authorization header", () => {
  it("gives its credential, whatever the scheme's case", () => {
    expect([bearerOf("Bearer abc"), bearerOf("bearer abc"), bearerOf("Bearer  abc ")]).toEqual(["abc", "abc", "abc"]);
  });

  it.each([undefined, "", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b", "Bearerabc", "Bearer \u00e9"])("is refused as %j", (header) => {
    expect(() => bearerOf(header)).toThrow(expect.objectContaining({ code: "unauthorized" }));
  });

  it("is told to hold a JWT by its form", () => {
    const header = Buffer.from('{"alg":"none"}').toString("base64url");
    expect([`${header}.e30.`, `${header}.e30.c2ln`].map(looksLikeJwt)).toEqual([true, true]);
    expect(["a.b.c", "eyJhbGciOiJub25lIn0", "eyJ.e30.x", "key-of-a-server", `${header}.a.b.c`].map(looksLikeJwt)).toEqual(
      Array(5).fill(false),
    );
  });
});
