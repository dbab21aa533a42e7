import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { ConfigError } from "../../../src/config/index.js";
import { redisOf } from "../../../src/config/redis-url.js";

const read = (url: string) => redisOf({ MONGODB_URL: "mongodb://db/x", REDIS_URL: url });

function faultOf(url: string): string {
  try {
    read(url);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error(`${url} was taken`);
}

const open = { tls: false, username: null, password: null };

describe("REDIS_URL", () => {
  it.each([
    ["redis://r", { ...open, kind: "single", server: { host: "r", port: 6379 } }],
    ["REDIS://r:7000/3", { ...open, kind: "single", server: { host: "r", port: 7000 } }],
    ["rediss://[::1]:6380/", { ...open, tls: true, kind: "single", server: { host: "::1", port: 6380 } }],
    [
      "redis://ada:b%3Ac%40d@my_redis",
      { ...open, username: "ada", password: "b:c@d", kind: "single", server: { host: "my_redis", port: 6379 } },
    ],
    ["redis://:secret@r", { ...open, password: "secret", kind: "single", server: { host: "r", port: 6379 } }],
    [
      "redis+sentinel://u:p@a,b:1,[::2]/main/0",
      {
        ...open,
        username: "u",
        password: "p",
        kind: "sentinel",
        master: "main",
        sentinels: [
          { host: "a", port: 26_379 },
          { host: "b", port: 1 },
          { host: "::2", port: 26_379 },
        ],
      },
    ],
    ["rediss-sentinel://a/m", { ...open, tls: true, kind: "sentinel", master: "m", sentinels: [{ host: "a", port: 26_379 }] }],
    [
      "redis+cluster://a,b:2",
      {
        ...open,
        kind: "cluster",
        seeds: [
          { host: "a", port: 6379 },
          { host: "b", port: 2 },
        ],
      },
    ],
    ["rediss-cluster://a", { ...open, tls: true, kind: "cluster", seeds: [{ host: "a", port: 6379 }] }],
  ])("reads %s", (url, target) => {
    expect(read(url)).toEqual(target);
  });

  it("is absent where nothing is set", () => {
    expect(redisOf({ MONGODB_URL: "mongodb://db/x" })).toBeNull();
  });

  it("needs a store that nodes can share", () => {
    expect(() => redisOf({ REDIS_URL: "redis://r" })).toThrow(
      /^REDIS_URL: it is set without MONGODB_URL.*expected MONGODB_URL too, or neither/,
    );
  });

  it.each([
    ["r:6379", /not a Redis address/],
    ["http://r", /not a Redis address/],
    ["redis+http://r", /not a Redis address/],
    ["redis://", /one of its hosts/],
    ["redis://a b", /one of its hosts/],
    ["redis://r:0", /one of its hosts/],
    ["redis://r:99999", /one of its hosts/],
    ["redis://::1", /one of its hosts/],
    ["redis://r/x", /number of a database/],
    ["redis://hunter2@r", /user without a password/],
    ["redis://u:hunter2%@r", /begins no character/],
    ["redis://u:hunter2/x@r", /in a password is written %2F/],
    ["redis://u:hunter2?x@r", /%3F and %23 in a password/],
    ["rediss://r?ca=/x", /NODE_EXTRA_CA_CERTS/],
    ["redis://a,b", /several hosts.*redis\+sentinel:\/\/HOST,…\/MASTERNAME.*redis\+cluster:\/\/HOST/],
    ["redis+sentinel://a,b", /does not name the master/],
    ["redis+sentinel://a,,b/m", /one of its hosts/],
    ["redis+cluster://a/x", /number of a database/],
  ])("refuses %s with a message that shows no password", (url, fault) => {
    const message = faultOf(url);
    expect(message).toMatch(/^REDIS_URL: .*expected /);
    expect(message).toMatch(fault);
    expect(message).not.toContain("hunter2");
  });

  it("keeps any user and any password that is written as URLs have it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), fc.string({ unit: "grapheme", minLength: 1 }), (username, password) => {
        const url = `redis://${encodeURIComponent(username)}:${encodeURIComponent(password)}@r`;
        expect(read(url)).toEqual({ ...open, username, password, kind: "single", server: { host: "r", port: 6379 } });
      }),
    );
  });

  it("takes or refuses any text, and throws nothing else", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.constantFrom("", "redis://", "redis+sentinel://", "redis+cluster://"),
        (text, scheme) => {
          try {
            read(`${scheme}${text}`);
          } catch (error) {
            expect(error).toBeInstanceOf(ConfigError);
          }
        },
      ),
    );
  });
});
