import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { fetchToken } from "../../../client/ui/src/page/token.js";

const TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIzIn0.c2ln";

let forum: Server;
let answer = { status: 200, text: "" };

beforeAll(async () => {
  forum = createServer((_request, response) => response.writeHead(answer.status).end(answer.text));
  await new Promise<void>((resolve) => forum.listen(0, "127.0.0.1", resolve));
});

afterAll(() => new Promise((resolve) => forum.close(resolve)));

function given(text: string, status = 200): Promise<string> {
  answer = { status, text };
  return fetchToken(`http://127.0.0.1:${(forum.address() as AddressInfo).port}/token`);
}

describe("the forum's address for tokens", () => {
  it("may answer with text, with a JSON text, or with an object", async () => {
    expect(await given(TOKEN)).toBe(TOKEN);
    expect(await given(` ${TOKEN}\n`)).toBe(TOKEN);
    expect(await given(JSON.stringify(TOKEN))).toBe(TOKEN);
    expect(await given(JSON.stringify({ token: TOKEN, more: 1 }))).toBe(TOKEN);
  });

  it.each([
    ["a page", "<!doctype html><title>Sign in</title>"],
    ["nothing", ""],
    ["another object", `{"error":"no"}`],
    ["a token that is no text", `{"token":7}`],
    ["broken JSON", `{"token":`],
    ["far too much", "x".repeat(20_000)],
  ])("is not believed when it answers with %s", async (_what, text) => {
    await expect(given(text)).rejects.toThrow(/gives no token/);
  });

  it("says by its status that nobody is signed in", async () => {
    await expect(given(TOKEN, 401)).rejects.toThrow(/answers 401/);
  });
});
