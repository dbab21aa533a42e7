import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import express, { type NextFunction, type Request, type Response } from "express";
import { pino } from "pino";
import type { DomainEvent, EventAnswer } from "../../../src/community/types.js";
import { createDemoForum } from "../../../src/demo/index.js";
import { asBelfryError, BelfryError } from "../../../src/errors.js";

const log = pino({ level: "silent" });

interface Answer {
  status: number;
  body: {
    code?: string;
    token: string;
    members: Array<{ id: string; name: string }>;
    moderator: { id: string; name: string } | null;
    threads: Array<{ id: string; author: string; comments: Array<{ id: string; text: string; author: string; parent: string | null }> }>;
    comment: { id: string };
    task: string;
  };
}

/** A forum over HTTP whose community and topics note what they get; `refuse` makes them fail afterwards. */
class Stage {
  events: DomainEvent[] = [];
  boards: Array<{ topic: string; data: unknown; access: string }> = [];
  reports: Array<{ id: string; user: string; state: string }> = [];
  refuse: BelfryError | null = null;
  moderated = true;
  private server: Server | undefined;

  constructor(readonly dataDir: string) {}

  async open(): Promise<void> {
    const { router } = createDemoForum({
      dataDir: this.dataDir,
      community: {
        handle: async (event: DomainEvent): Promise<EventAnswer> => {
          this.events.push(event);
          if (this.refuse) throw this.refuse;
          return { id: event.id, duplicate: false, notified: [], skipped: [] };
        },
      },
      topics: {
        write: async (topic, body) => {
          this.boards.push({ topic, ...body });
          if (this.refuse) throw this.refuse;
        },
      },
      tasks: {
        report: async (id, { user, state }) => {
          if (this.refuse) throw this.refuse;
          this.reports.push({ id, user, state });
        },
        running: async () => [],
      },
      moderated: this.moderated,
      assets: new Map(),
      mintToken: async ({ id, roles }) => [`token-of-${id}`, ...roles].join(" as "),
      verify: async (token) => {
        if (!token.startsWith("token-of-")) throw new BelfryError("unauthorized");
        return { user: token.slice("token-of-".length) };
      },
      log,
    });
    const app = express();
    app.use(router);
    app.use((thrown: unknown, _request: Request, response: Response, _next: NextFunction) => {
      const status = (thrown as { status?: number }).status ?? 500;
      response.status(status).json({ code: asBelfryError(thrown).code });
    });
    await new Promise<void>((resolve) => {
      this.server = app.listen(0, "127.0.0.1", () => resolve());
    });
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.server?.close(resolve));
  }

  async call(path: string, body?: unknown, token?: string, method = "POST"): Promise<Answer> {
    const { port } = (this.server as Server).address() as AddressInfo;
    const headers: Record<string, string> = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers,
      ...(body !== undefined && { method, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: JSON.parse(text || "{}") as Answer["body"] };
  }

  write(member: string, thread: string, text: unknown, parent?: unknown): Promise<Answer> {
    return this.call(`/demo/threads/${thread}/comments`, { text, parent }, `token-of-${member}`);
  }

  edit(member: string, comment: string, text: unknown): Promise<Answer> {
    return this.call(`/demo/comments/${comment}`, { text }, `token-of-${member}`, "PATCH");
  }

  remove(member: string, comment: string): Promise<Answer> {
    return this.call(`/demo/comments/${comment}`, {}, `token-of-${member}`, "DELETE");
  }

  async texts(thread: string): Promise<string[]> {
    const { body } = await this.call("/demo/threads");
    return body.threads.find(({ id }) => id === thread)?.comments.map(({ text }) => text) ?? [];
  }
}

let stage: Stage;

beforeEach(async () => {
  stage = new Stage(await mkdtemp(join(tmpdir(), "belfry-demo-")));
  await stage.open();
});

afterEach(async () => {
  await stage.close();
  await rm(stage.dataDir, { recursive: true });
});

describe("the demo forum", () => {
  it("has three members and a thread by each, and signs a member in", async () => {
    const { members } = (await stage.call("/demo/members")).body;
    const { threads } = (await stage.call("/demo/threads")).body;
    expect(members.map(({ id }) => id)).toEqual(["ada", "bruno", "chidi"]);
    expect(threads.map(({ author }) => author).sort()).toEqual(["ada", "bruno", "chidi"]);
    expect((await stage.call("/demo/session", { member: "ada" })).body).toMatchObject({ token: "token-of-ada", member: { name: "Ada" } });
    expect(await stage.call("/demo/session", { member: "mallory" })).toMatchObject({ status: 404, body: { code: "not_found" } });
  });

  it("tells the service of a comment: who wrote it, whom it answers, and whom it calls by name", async () => {
    const first = (await stage.write("bruno", "tuesday-practice", "  Hello @chidi, @Ada and @chidi; write to x@bruno or @brunox  ")).body
      .comment;
    await stage.write("chidi", "tuesday-practice", "Hello", first.id);
    expect(stage.events[0]).toMatchObject({
      act: "created",
      actor: { id: "bruno", name: "Bruno" },
      thread: { id: "tuesday-practice", author: "ada" },
      comment: { id: first.id },
      excerpt: "Hello @chidi, @Ada and @chidi; write to x@bruno or @brunox",
      mentions: ["ada", "chidi"],
      quotes: [],
    });
    expect(stage.events[1]?.comment).toMatchObject({ parent: first.id, parentAuthor: "bruno" });
  });

  it("has a moderator who signs in too, and who neither stands among the members nor writes in the forum", async () => {
    expect((await stage.call("/demo/members")).body).toMatchObject({ moderator: { id: "mia", name: "Mia" } });
    const { token } = (await stage.call("/demo/session", { member: "mia" })).body;
    expect(token).toBe("token-of-mia as moderator");
    expect((await stage.write("mia", "keys", "text")).status).toBe(403);
    expect((await stage.call("/demo/exports", {}, "token-of-mia")).status).toBe(403);
  });

  it("has no moderator where real members are, and says that there is none to be", async () => {
    await stage.close();
    stage.moderated = false;
    await stage.open();
    expect((await stage.call("/demo/members")).body).toMatchObject({ moderator: null });
    expect((await stage.call("/demo/session", { member: "mia" })).status).toBe(403);
    expect((await stage.call("/demo/session", { member: "ada" })).status).toBe(200);
  });

  it("writes the leaderboard when the forum opens and whenever somebody has commented", async () => {
    await stage.call("/demo/threads");
    await stage.write("chidi", "keys", "text");
    const lines = (...counts: Array<[string, string, number]>) => ({
      topic: "demo/leaderboard",
      access: "members",
      data: { members: counts.map(([id, name, comments]) => ({ id, name, comments })) },
    });
    expect(stage.boards).toEqual([
      lines(["ada", "Ada", 1], ["bruno", "Bruno", 1], ["chidi", "Chidi", 1]),
      lines(["chidi", "Chidi", 2], ["ada", "Ada", 1], ["bruno", "Bruno", 1]),
    ]);
  });

  it("starts an export for the member whose token it is, and for nobody else", async () => {
    const { status, body } = await stage.call("/demo/exports", { user: "bruno" }, "token-of-ada");
    expect(status).toBe(202);
    expect(stage.reports[0]).toEqual({ id: body.task, user: "ada", state: "running" });
    expect((await stage.call("/demo/exports", {})).status).toBe(401);
    stage.refuse = new BelfryError("unavailable");
    expect(await stage.call("/demo/exports", {}, "token-of-bruno")).toMatchObject({ status: 503, body: { code: "unavailable" } });
  });

  it("shows a comment only when the service has taken it", async () => {
    const before = await stage.texts("keys");
    stage.refuse = new BelfryError("unavailable");
    expect(await stage.write("ada", "keys", "lost")).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect(await stage.texts("keys")).toEqual(before);
    stage.refuse = null;
    expect((await stage.write("ada", "keys", "kept")).status).toBe(201);
    expect(await stage.texts("keys")).toEqual([...before, "kept"]);
  });

  it("keeps its comments over a restart and never uses an id twice", async () => {
    await stage.write("ada", "keys", "one");
    stage.refuse = new BelfryError("unavailable");
    await stage.write("ada", "keys", "refused");
    await stage.close();
    stage.refuse = null;
    await stage.open();
    await stage.write("ada", "keys", "two");
    expect(await stage.texts("keys")).toEqual(["one", "two"]);
    expect(new Set(stage.events.map(({ id }) => id)).size).toBe(3);
  });

  it("finishes on the next start what a crash left between keeping a comment and telling the service", async () => {
    const { comment } = (await stage.write("ada", "keys", "half-way")).body;
    await stage.close();
    const file = join(stage.dataDir, "demo-forum.json");
    const text = await readFile(file, "utf8");
    const state = JSON.parse(text) as { comments: Array<{ id: string; told: boolean }> };
    for (const kept of state.comments) kept.told = kept.id !== comment.id;
    await writeFile(file, JSON.stringify(state));
    await stage.open();
    expect(await stage.texts("keys")).toEqual(["half-way"]);
    expect(stage.events.map(({ id }) => id)).toEqual([`demo-comment-${comment.id}`, `demo-comment-${comment.id}`]);
  });

  it("tells the service of an edit and of a deletion, each under an id of its own, and shows them", async () => {
    const { comment } = (await stage.write("ada", "keys", "one")).body;
    for (const text of ["two", "three, @Bruno"]) expect((await stage.edit("ada", comment.id, text)).status).toBe(200);
    expect(await stage.texts("keys")).toEqual(["three, @Bruno"]);
    expect((await stage.remove("ada", comment.id)).status).toBe(204);
    expect(await stage.texts("keys")).toEqual([]);
    expect(stage.events.map(({ act }) => act)).toEqual(["created", "updated", "updated", "deleted"]);
    expect(stage.events[2]).toMatchObject({
      actor: { id: "ada" },
      comment: { id: comment.id },
      excerpt: "three, @Bruno",
      mentions: ["bruno"],
    });
    expect(new Set(stage.events.map(({ id }) => id)).size).toBe(4);
    expect(stage.boards).toHaveLength(5);
  });

  it("lets a comment stand as it was when the service does not take the change", async () => {
    const { comment } = (await stage.write("ada", "keys", "as it was")).body;
    stage.refuse = new BelfryError("unavailable");
    expect((await stage.edit("ada", comment.id, "changed")).status).toBe(503);
    expect((await stage.remove("ada", comment.id)).status).toBe(503);
    expect(await stage.texts("keys")).toEqual(["as it was"]);
    stage.refuse = null;
    await stage.close();
    await stage.open();
    expect(await stage.texts("keys")).toEqual(["as it was"]);
    expect(stage.events).toHaveLength(3);
  });

  it("refuses a change of what is gone or somebody else's, and what is no text", async () => {
    const { comment } = (await stage.write("ada", "keys", "mine")).body;
    expect((await stage.edit("bruno", comment.id, "yours")).status).toBe(403);
    expect((await stage.remove("bruno", comment.id)).status).toBe(403);
    expect((await stage.edit("ada", "none", "text")).status).toBe(404);
    expect((await stage.remove("ada", "none")).status).toBe(404);
    for (const text of ["", " ", 7, null, "x".repeat(2_001)]) expect((await stage.edit("ada", comment.id, text)).status).toBe(400);
    expect((await stage.call(`/demo/comments/${comment.id}`, {}, undefined, "DELETE")).status).toBe(401);
    expect(await stage.texts("keys")).toEqual(["mine"]);
    expect(stage.events).toHaveLength(1);
  });

  it.each(["updated", "deleted"])("finishes on the next start what a crash left of a comment that was %s", async (act) => {
    const { comment } = (await stage.write("ada", "keys", "before")).body;
    await stage.close();
    const file = join(stage.dataDir, "demo-forum.json");
    const state = JSON.parse(await readFile(file, "utf8")) as { comments: Array<{ id: string; change: object | null }> };
    const change = { id: "x-9", act, text: "after", at: new Date().toISOString() };
    for (const kept of state.comments) if (kept.id === comment.id) kept.change = change;
    await writeFile(file, JSON.stringify(state));
    await stage.open();
    expect(await stage.texts("keys")).toEqual(act === "updated" ? ["after"] : []);
    expect(stage.events.at(-1)).toMatchObject({ id: "demo-change-x-9", act });
    await stage.close();
    await stage.open();
    await stage.texts("keys");
    expect(stage.events).toHaveLength(2);
  });

  it("does not overwrite a file that is not its own, and says that it is unavailable", async () => {
    await stage.close();
    await writeFile(join(stage.dataDir, "demo-forum.json"), "{}");
    await stage.open();
    expect(await stage.call("/demo/threads")).toMatchObject({ status: 503, body: { code: "unavailable" } });
    expect(await readFile(join(stage.dataDir, "demo-forum.json"), "utf8")).toBe("{}");
  });

  it("keeps comments that are written together, each once", async () => {
    const texts = Array.from({ length: 20 }, (_, i) => `comment ${i}`);
    await Promise.all(texts.map((text) => stage.write("ada", "keys", text)));
    expect((await stage.texts("keys")).sort()).toEqual([...texts].sort());
  });

  it("cuts the excerpt of a long comment between characters", async () => {
    await stage.write("ada", "keys", "🔔".repeat(300));
    expect(stage.events[0]?.excerpt).toBe(`${"🔔".repeat(199)}…`);
  });

  it("refuses what is not a comment and changes nothing", async () => {
    const before = await stage.texts("keys");
    for (const text of [undefined, "", "   ", 7, { $gt: "" }, ["a"], "x".repeat(2_001)]) {
      expect(await stage.write("ada", "keys", text)).toMatchObject({ status: 400, body: { code: "bad_request" } });
    }
    expect((await stage.write("ada", "nowhere", "text")).status).toBe(404);
    expect((await stage.write("ada", "keys", "text", "no-such-comment")).status).toBe(404);
    expect((await stage.write("ada", "keys", "text", { $gt: "" })).status).toBe(400);
    expect((await stage.write("mallory", "keys", "text")).status).toBe(403);
    expect((await stage.call("/demo/threads/keys/comments", { text: "text" })).status).toBe(401);
    expect((await stage.call("/demo/threads/keys/comments", { text: "text" }, "made-up")).status).toBe(401);
    expect((await stage.write("ada", "keys", "x".repeat(20_000))).status).toBe(413);
    expect((await stage.call("/demo/session", { member: { $ne: "" } })).status).toBe(400);
    expect(await stage.texts("keys")).toEqual(before);
    expect(stage.events).toEqual([]);
  });
});
