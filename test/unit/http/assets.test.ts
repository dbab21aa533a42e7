import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { loadAssets } from "../../../src/http/index.js";
import { type Http, problemIn, startHttp } from "./harness.js";

const SCRIPT = `console.log("${"belfry ".repeat(400)}");\n`;

let folder: string;
let http: Http;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "belfry-assets-"));
  await mkdir(join(folder, "client", "deeper"), { recursive: true });
  await writeFile(join(folder, "secret.js"), "outside");
  await writeFile(join(folder, "client", "belfry.js"), SCRIPT);
  await writeFile(join(folder, "client", "console.html"), "<!doctype html><title>Console</title>");
  await writeFile(join(folder, "client", "deeper", "style.css"), "p { color: red }");
  await writeFile(join(folder, "client", "notes.txt"), "not for anybody");
  http = await startHttp({ assets: await loadAssets(join(folder, "client")) });
});
afterAll(async () => {
  await http.stop();
  await rm(folder, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = {}, method = "GET") => http.send(path, { method, headers });

/** As browsers ask; `fetch` would add that it wants no answer out of a cache. */
const askAgain = (etag: string, encoding: string) =>
  http.raw(
    `GET /client/belfry.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: ${encoding}\r\nIf-None-Match: ${etag}\r\n\r\n`,
  );

describe("the client's files", () => {
  it("are served as what they are, to pages of any origin", async () => {
    const response = await get("/client/belfry.js", { Origin: "https://anywhere.example" });
    expect([response.status, await response.text()]).toEqual([200, SCRIPT]);
    const { headers } = response;
    expect(headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(headers.get("cross-origin-resource-policy")).toBe("cross-origin");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("service-worker-allowed")).toBe("/");
    expect(headers.get("content-security-policy")).toContain("script-src 'self'");
    const style = await get("/client/deeper/style.css");
    expect([style.status, style.headers.get("content-type"), await style.text()]).toEqual([
      200,
      "text/css; charset=utf-8",
      "p { color: red }",
    ]);
  });

  it("are sent again only where they have changed", async () => {
    for (const encoding of ["gzip", "identity"]) {
      const first = await get("/client/belfry.js", { "Accept-Encoding": encoding });
      expect(first.headers.get("cache-control")).toBe("no-cache");
      const etag = first.headers.get("etag") as string;
      expect(etag).toMatch(/^"[\w-]{22}(-gzip)?"$/);
      expect(await askAgain(etag, encoding)).toMatch(/^HTTP\/1.1 304 [\s\S]*\r\n\r\n$/);
      expect(await askAgain('"other"', encoding)).toMatch(/^HTTP\/1.1 200 /);
    }
  });

  it("are sent small to whoever takes that, and whole to whoever does not", async () => {
    const small = await get("/client/belfry.js", { "Accept-Encoding": "gzip" });
    expect([small.headers.get("content-encoding"), small.headers.get("vary")]).toEqual(["gzip", "Accept-Encoding"]);
    expect(await small.text()).toBe(SCRIPT);
    const whole = await get("/client/belfry.js", { "Accept-Encoding": "identity" });
    expect([whole.headers.get("content-encoding"), whole.headers.get("content-length")]).toEqual([null, String(SCRIPT.length)]);
    expect(whole.headers.get("etag")).not.toBe(small.headers.get("etag"));
  });

  it("are answered without a body to HEAD", async () => {
    const response = await get("/client/belfry.js", { "Accept-Encoding": "identity" }, "HEAD");
    expect([response.status, response.headers.get("content-length"), await response.text()]).toEqual([200, String(SCRIPT.length), ""]);
  });

  it.each([
    "/client/",
    "/client",
    "/client/deeper",
    "/client/deeper/",
    "/client/notes.txt",
    "/client/constructor",
    "/client/__proto__",
    "/client/..%2fsecret.js",
    "/client/%2e%2e/secret.js",
    "/client/deeper/..%5c..%5csecret.js",
  ])("are all that is served: %s is not", async (path) => {
    await problemIn(await get(path), 404, "not_found");
  });

  it("lead out of their folder by no path", async () => {
    const answer = await http.raw("GET /client/../secret.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1.1 404 /);
    expect(answer).not.toContain("outside");
  });

  it.each(["POST", "PUT", "DELETE"])("are not to be changed by %s", async (method) => {
    await problemIn(await get("/client/belfry.js", {}, method), 404, "not_found");
  });
});

describe("the console's page", () => {
  it.each(["/console", "/console/"])("is at %s, for nobody to frame", async (path) => {
    const response = await get(path);
    expect([response.status, await response.text()]).toEqual([200, "<!doctype html><title>Console</title>"]);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });

  it("is not there where the client was not built", async () => {
    expect((await loadAssets(join(folder, "nothing"))).size).toBe(0);
    const bare = await startHttp();
    await problemIn(await bare.send("/console"), 404, "not_found");
    await bare.stop();
  });
});
