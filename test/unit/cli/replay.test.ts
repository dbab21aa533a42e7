import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { countLines, type Line, readLines } from "../../../src/cli/replay-lines.js";
import { type ReplayOptions, readOptions } from "../../../src/cli/replay-options.js";
import { Report } from "../../../src/cli/replay-report.js";
import { HookSender } from "../../../src/cli/replay-sender.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "replay-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function fileOf(content: string | Buffer, name = "posts.jsonl"): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

describe("the lines of a file", () => {
  const text = `{"a":"one\u2028line"}\n\n{"b":"${"é".repeat(100_000)}"}\r\n  \n{"c":3}`;

  it.each([
    ["plain", text],
    ["gzipped", gzipSync(text)],
  ])("are read whole, byte by byte, from a %s file, and counted with the blank ones", async (_, content) => {
    const lines: Line[] = [];
    for await (const line of readLines(await fileOf(content))) lines.push(line);
    expect(lines.map(({ number, bytes }) => [number, bytes.toString()])).toEqual([
      [1, '{"a":"one\u2028line"}'],
      [3, `{"b":"${"é".repeat(100_000)}"}\r`],
      [5, '{"c":3}'],
    ]);
    expect(await countLines(join(folder, "posts.jsonl"), 2)).toBe(2);
  });

  it("are none in an empty file, and an error in one that breaks off", async () => {
    for await (const _ of readLines(await fileOf(""))) throw new Error("a line of an empty file");
    const broken = await fileOf(gzipSync(text).subarray(0, 40));
    await expect(readLines(broken).next()).rejects.toMatchObject({ code: "Z_BUF_ERROR" });
  });
});

describe("the options", () => {
  it("have defaults, and the secret of a service started here", async () => {
    const file = await fileOf("");
    await fileOf(JSON.stringify({ discourseSecret: "stored" }), "keys.json");
    const options = await readOptions([file], { DATA_DIR: folder });
    expect(options).toMatchObject({ file, secret: "stored", from: 1, event: "post_created", rate: Number.POSITIVE_INFINITY });
    expect((await readOptions([file, "--data-dir", folder, "--rate", "50/s"], {}))?.rate).toBe(50);
    expect((await readOptions([file, "--secret", "given"], { DISCOURSE_SECRET: "set" }))?.secret).toBe("given");
    expect(await readOptions(["--help"], {})).toBeNull();
  });

  it.each([
    [[], "Name one file"],
    [["FILE", "FILE"], "Name one file"],
    [["FILE.gone"], "cannot be read"],
    [["FILE", "--speed", "9"], "--speed"],
    [["FILE", "--rate", "0"], "--rate must be a number above 0"],
    [["FILE", "--from", "1.5"], "--from must be a number"],
    [["FILE", "--url", "ftp://x"], "--url must start with http"],
    [["FILE", "--event", "a\nb"], "--event must be one word"],
    [["FILE", "--data-dir", "/nowhere"], "There is no secret to sign with"],
  ])("are refused in words where they are %j", async (args, message) => {
    const file = await fileOf("");
    await expect(
      readOptions(
        args.map((arg) => arg.replace("FILE", file)),
        {},
      ),
    ).rejects.toThrow(message);
  });
});

describe("a hook that is sent", () => {
  let server: Server;
  let seen: Array<{ url: string; headers: IncomingHttpHeaders; body: string }>;
  let answers: Array<[status: number, body: object]>;
  const going = new AbortController().signal;

  beforeEach(async () => {
    seen = [];
    answers = [];
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      seen.push({ url: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString() });
      const [status, body] = answers.shift() ?? [202, { duplicate: false, notified: [], skipped: [] }];
      if (status === 0) response.destroy();
      else response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });

  function sender(path = ""): HookSender {
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
    const options: ReplayOptions = {
      file: "",
      url,
      secret: "s3cret",
      rate: 1,
      from: 1,
      event: "post_created",
      instance: "https://f.example",
    };
    return new HookSender(options);
  }

  it("looks as Discourse's own, signed over its bytes", async () => {
    const body = '{"post":{"id":7,"version":2,"raw":"é"}}';
    expect(await sender("/behind/a/path").send(Buffer.from(body), going)).toMatchObject({ ok: true, retries: 0 });
    expect(seen[0]).toMatchObject({ url: "/behind/a/path/v1/hooks/discourse", body });
    expect(seen[0]?.headers).toMatchObject({
      "content-type": "application/json",
      "x-discourse-instance": "https://f.example",
      "x-discourse-event": "post_created",
      "x-discourse-event-type": "post",
      "x-discourse-event-id": "replay-7-2",
      "x-discourse-event-signature": `sha256=${createHmac("sha256", "s3cret").update(body).digest("hex")}`,
    });
  });

  it("is tried again while the service is away, busy or broken", async () => {
    answers = [
      [0, {}],
      [503, { detail: "later" }],
      [429, {}],
    ];
    expect(await sender().send(Buffer.from("{}"), going)).toMatchObject({ ok: true, retries: 3 });
    expect(new Set(seen.map(({ headers }) => headers["x-discourse-event-id"])).size).toBe(1);
  });

  it.each([
    [400, false],
    [413, false],
    [401, true],
    [404, true],
  ])("is not tried again after a %i", async (status, fatal) => {
    answers = [[status, { title: "No", detail: "Because." }]];
    expect(await sender().send(Buffer.from("not json"), going)).toEqual({ ok: false, fault: `${status} Because.`, fatal, retries: 0 });
    expect(seen).toHaveLength(1);
  });

  it("ends its tries when it is interrupted", async () => {
    const interrupt = new AbortController();
    answers = [[503, {}]];
    const sent = sender().send(Buffer.from("{}"), interrupt.signal);
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    interrupt.abort();
    expect(await sent).toMatchObject({ ok: false });
  });
});

describe("the report", () => {
  function report(isTTY: boolean) {
    let now = 0;
    let text = "";
    const output = { isTTY, write: (part: string) => (text += part) };
    const made = new Report(10, output, () => now);
    return { report: made, pass: (ms: number) => (now += ms), text: () => text };
  }
  const notified = [{ user: "1", reason: "reply" as const, id: "x", seq: 1 }];

  it("sums up what became of the file", () => {
    const { report: sums, pass, text } = report(false);
    sums.add(1, { ok: true, answer: { duplicate: false, notified, skipped: [{ user: "2", why: "their own post" }] }, retries: 2 });
    sums.add(2, { ok: true, answer: { duplicate: true, notified }, retries: 0 });
    sums.add(3, { ok: false, fault: "400 Because.", fatal: false, retries: 0 });
    pass(2_000);
    sums.close("for a reason.");
    expect(sums.failed).toBe(1);
    expect(text().split("\n")).toEqual([
      "line 3: 400 Because.",
      "posts:         3 in 2.0 s, 2/s",
      "notifications: 1  reply 1",
      "duplicates:    1, with 1 notifications made before",
      "skipped:       1",
      "retries:       2",
      "failures:      1",
      "Stopped before the end: for a reason.",
      "",
    ]);
  });

  it("shows a bar on a terminal and plain lines elsewhere", () => {
    const sent = { ok: true as const, answer: {}, retries: 0 };
    const [terminal, file] = [report(true), report(false)];
    for (const { report: shown, pass } of [terminal, file]) {
      for (let line = 1; line < 5; line += 1) shown.add(line, sent);
      pass(5_000);
      shown.add(5, sent);
    }
    expect(terminal.text()).toBe(`\r[${"█".repeat(15)}${"░".repeat(15)}] 50 %  5 of 10 posts  1/s\x1b[K`);
    expect(file.text()).toBe("50 %  5 of 10 posts  1/s\n");
  });
});
