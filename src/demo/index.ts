import express, { type Request, type Router } from "express";
import type { Logger } from "pino";
import { z } from "zod";
import { bearerOf } from "../auth/index.js";
import { BelfryError } from "../errors.js";
import { type Assets, servePage } from "../http/index.js";
import { DemoExports, type Tasks } from "./exports.js";
import { type Community, DemoForum, MAX_TEXT_LENGTH, memberById } from "./forum.js";
import { publishStandings, type Topics } from "./leaderboard.js";
import { type DemoMember, MEMBERS, MODERATOR } from "./seed.js";

/** Threat: memory spent on a body that no comment needs. A comment of full length, every character escaped, is 12 KB. */
const MAX_BODY = "16kb";

/** As strict as that of all pages, but that the page shows two others of its own in frames. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-src 'self'",
  "frame-ancestors 'self'",
  "base-uri 'none'",
  "form-action 'self'",
].join(";");

export interface DemoForumOptions {
  /** The forum is kept in `demo-forum.json` in it. */
  dataDir: string;
  community: Community;
  /** Where the leaderboard is written. */
  topics: Topics;
  /** Where exports report. */
  tasks: Tasks;
  /** Whether anybody may sign in as the moderator, who can also ban: not where real members are. */
  moderated: boolean;
  /** A token that the service accepts as this member's. */
  mintToken(user: { id: string; name: string; roles: readonly string[] }): Promise<string>;
  /** Whose token it is. Throws `BelfryError` `unauthorized` or `token_expired`. */
  verify(token: string): Promise<{ user: string }>;
  /** The pages' files are among them. */
  assets: Assets;
  log: Logger;
}

const sessionBody = z.object({ member: z.string().max(128) });
const editBody = z.object({ text: z.string().trim().min(1).max(MAX_TEXT_LENGTH) });
const commentBody = editBody.extend({ parent: z.string().max(128).nullish() });

const COMMENT_EXPECTED = `Send JSON: {"text": "1 to ${MAX_TEXT_LENGTH} characters"}.`;

/**
 * The forum that `/` shows so that a newcomer sees the service work: anybody signs in as one of three members, or as the moderator who makes
 * announcements. Not for production.
 * The router answers JSON under `/demo` and serves the page at `/`, with `?as=<member>` that of one member; its errors go to the app's error
 * handler.
 */
export function createDemoForum(options: DemoForumOptions): { router: Router } {
  const { dataDir, community, topics, tasks, moderated, mintToken, verify, assets, log } = options;
  const forum = new DemoForum(dataDir, community, log, (comments) => publishStandings(topics, comments, log));
  const exports = new DemoExports({ tasks, summary: () => summaryOf(forum), log });
  const router = express.Router();
  router.use("/demo", express.json({ limit: MAX_BODY }), (_request, _response, next) => {
    void exports.settle();
    next();
  });

  router.get("/demo/members", (_request, response) => {
    const { id, name } = MODERATOR;
    response.json({ members: MEMBERS, moderator: moderated ? { id, name } : null });
  });

  router.post("/demo/session", async (request, response) => {
    const { member: id } = parse(sessionBody, request.body, 'Send JSON: {"member": "ada"}.');
    const known = [...MEMBERS.map((member) => ({ ...member, roles: [] })), MODERATOR];
    const found = known.find((member) => member.id === id);
    if (!found) throw new BelfryError("not_found", `There is no demo member of that name; there are ${namesOf(known)}.`);
    if (found === MODERATOR && !moderated) {
      throw new BelfryError("forbidden", "In production the demo has no moderator; announce by POST /v1/announcements.");
    }
    const { roles, ...member } = found;
    response.set("Cache-Control", "no-store").json({ token: await mintToken({ id, name: member.name, roles }), member });
  });

  router.get("/demo/threads", async (_request, response) => {
    response.set("Cache-Control", "no-cache").json({ threads: await forum.threads() });
  });

  router.post("/demo/threads/:id/comments", async (request, response) => {
    const author = await authorOf(request, verify);
    const { text, parent } = parse(commentBody, request.body, COMMENT_EXPECTED);
    const comment = await forum.comment(author, request.params.id, text, parent ?? null);
    response.status(201).json({ comment });
  });

  router.patch("/demo/comments/:id", async (request, response) => {
    const author = await authorOf(request, verify);
    const { text } = parse(editBody, request.body, COMMENT_EXPECTED);
    response.json({ comment: await forum.edit(author, request.params.id, text) });
  });

  router.delete("/demo/comments/:id", async (request, response) => {
    await forum.remove(await authorOf(request, verify), request.params.id);
    response.status(204).end();
  });

  router.post("/demo/exports", async (request, response) => {
    const task = await exports.start(await authorOf(request, verify));
    response.status(202).json({ task });
  });

  const pair = servePage(assets, "demo.html");
  const single = servePage(assets, "demo-member.html");
  router.get("/", (request, response, next) => {
    response.set("Content-Security-Policy", POLICY);
    (request.query.as === undefined ? pair : single)(request, response, next);
  });
  return { router };
}

async function authorOf(request: Request, verify: DemoForumOptions["verify"]): Promise<DemoMember> {
  const { user } = await verify(bearerOf(request.get("authorization")));
  const member = memberById(user);
  if (!member) throw new BelfryError("forbidden", "Only the demo's own members can write here.");
  return member;
}

function parse<T>(shape: z.ZodType<T>, body: unknown, expected: string): T {
  const result = shape.safeParse(body);
  if (result.success) return result.data;
  throw new BelfryError("bad_request", expected);
}

async function summaryOf(forum: DemoForum): Promise<string> {
  const threads = await forum.threads();
  return `${threads.length} threads with ${threads.reduce((sum, { comments }) => sum + comments.length, 0)} comments.`;
}

function namesOf(members: ReadonlyArray<{ id: string }>): string {
  return members.map((member) => member.id).join(", ");
}
