#!/usr/bin/env node
/**
 * The check of the house (docs/ARCHITECTURE.md, "Rooms"): `node scripts/check-rooms.mjs [FOLDER]` reads every source file and reports
 * imports that the rooms' rules forbid, files that import each other in a circle, files that are too long, and text that ties the project
 * to one machine. One line per finding; exit status 1 if there is any.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join, relative, resolve } from "node:path";
import { argv, exit, stdout } from "node:process";
import { fileURLToPath } from "node:url";
import { parseSync } from "@swc/core";

/**
 * What each room of src/ may import of the others. "door": its `index.js` or `types.js`; "types": its `types.js`, or its door by
 * `import type`. Every file may import the common files. `why` ends the message.
 */
const ROOMS = {
  stream: { may: {}, why: "the core knows no transport, no database and no meaning of an entry" },
  inbox: { may: { stream: "door" }, why: "an inbox is made of a stream, and of nothing else" },
  community: {
    may: { stream: "types" },
    why: "who is told is decided without knowing how; the ports that it needs stand in its own types.ts",
  },
  members: { may: { stream: "types" }, why: "who is known stands below everything that asks for it" },
  preferences: { may: {}, why: "what a member wants to be told is a rule and a table; who asks for it, and why, is not its business" },
  announcements: {
    may: { stream: "door", inbox: "door", members: "types" },
    why: "an announcement is entries of a stream, seen by one member at a time; sockets and routes bring it to them",
  },
  moderation: {
    may: { stream: "door", members: "door", auth: "door" },
    why: "an act is an entry of the audit log and a change of a member; sessions are ended by those who have them",
  },
  messages: {
    may: { community: "types", members: "door" },
    why: "a message is a notification from a member; how it is stored and delivered is the inbox's business",
  },
  tasks: { may: { community: "types" }, why: "progress is a value, and its end a notification; sockets are told by subscription" },
  topics: { may: {}, why: "a topic is a value with a name; who looks at it is not its business" },
  presence: { may: {}, why: "it counts who comes and goes, and knows no sockets" },
  cluster: {
    may: { stream: "door", presence: "door", config: "types", telemetry: "types" },
    why: "it brings streams' entries and who is where to other nodes, and knows neither sockets nor stores",
  },
  activity: { may: {}, why: "what was done is numbers of a minute; who counts them, and who looks, is not its business" },
  push: {
    may: { stream: "door", inbox: "door" },
    why: "a device is told of what is in a stream; who is connected or banned, and who asks, is not its business",
  },
  lease: { may: {}, why: "who may act for all is a name and a time; what is done under it is not its business" },
  storage: {
    may: {
      stream: "types",
      inbox: "types",
      community: "types",
      members: "types",
      preferences: "types",
      announcements: "types",
      tasks: "types",
      topics: "types",
      lease: "types",
      push: "types",
      activity: "types",
    },
    why: "a store implements the ports that the rooms above declare, and calls none of them",
  },
  config: { may: {}, why: "the configuration is read first, before anything else is there" },
  process: { may: {}, why: "signals and the guardian stand outside the service, and look at it from there" },
  telemetry: { may: { config: "types" }, why: "everything reports to telemetry, so it depends on nothing but its settings" },
  auth: { may: { config: "types" }, why: "who somebody is must not depend on what they want to do" },
  realtime: {
    may: {
      stream: "door",
      inbox: "door",
      auth: "door",
      config: "types",
      telemetry: "door",
      members: "door",
      preferences: "door",
      announcements: "door",
      moderation: "door",
      messages: "door",
      tasks: "door",
      topics: "door",
      presence: "door",
    },
    why: "sockets serve the rooms above; stores are handed in, and HTTP stands beside them",
  },
  http: {
    may: {
      stream: "types",
      community: "door",
      inbox: "door",
      auth: "door",
      config: "types",
      telemetry: "types",
      members: "door",
      preferences: "door",
      announcements: "door",
      moderation: "door",
      messages: "door",
      tasks: "door",
      topics: "door",
      presence: "door",
      push: "types",
    },
    why: "routes translate between HTTP and the rooms; stores and sockets are handed in by app.ts",
  },
  demo: { may: { community: "types", http: "door", auth: "door" }, why: "the demo uses the service as any other client would" },
  cli: { may: "every door", why: "a command puts parts together, or starts app.ts" },
};

/** Where the parts are put together: these import any room by its door and any package; of the rooms only commands import them. */
const TOP_FILES = ["src/app.ts", "src/rooms.ts", "src/main.ts"];

/** What any room may import, although it belongs to none. */
const COMMON_FILES = ["src/errors.ts", "src/checked.ts", "src/rate-limit.ts", "src/release.ts"];

/** Files that other rooms may import besides a room's `index.ts` and `types.ts`; the rules above hold for them as for a door. */
const SIDE_DOORS = ["src/inbox/requests.ts", "src/storage/sqlite/index.ts", "src/storage/mongo/index.ts"];

/** Packages that belong to one kind of room: what knows them is what must change when they do. */
const PACKAGES = {
  mongoose: ["storage"],
  mongodb: ["storage"],
  libsql: ["storage"],
  "socket.io": ["realtime"],
  "@socket.io/redis-adapter": ["realtime"],
  "web-push": ["push"],
  redis: ["cluster"],
  express: ["http", "demo"],
  helmet: ["http"],
  jose: ["auth", "config", "demo"],
};

/** A longer file has more than one subject. */
const MAX_LINES = 350;

const CODE = new Set([".ts", ".mts", ".js", ".mjs", ".css", ".html", ".sh"]);
const PARSED = new Set([".ts", ".mts", ".js", ".mjs"]);

/** Folders that are not part of the sources; those with a slash in front only at the top. */
const SKIPPED_FOLDERS = ["node_modules", ".git", "dist", "/data", "/artifacts", "/coverage"];

/** Text that holds on one machine or in one network only. In parts, so that this file passes its own check. */
const FORBIDDEN_TEXT = [
  { text: ["..", "shared"].join("/"), why: "a fresh clone has no such folder beside it" },
  { text: ["", "work", ""].join("/"), why: "it is a path of one machine" },
  ...["registry.npmjs|org", "registry.yarnpkg|com", "npm.pkg.github|com", "pypi|org", "pythonhosted|org", "static.crates|io"]
    .concat(["index.crates|io", "proxy.golang|org", "repo1.maven|org", "repo.maven.apache|org", "deb.debian|org", "archive.ubuntu|com"])
    .map((host) => ({ text: host.replace("|", "."), why: "which package registry is used is the reader's own setting" })),
];

/** @returns {string[]} paths relative to `root`, with forward slashes, sorted */
function listFiles(root, folder = "") {
  const files = [];
  for (const item of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === "" ? item.name : `${folder}/${item.name}`;
    if (item.isDirectory()) {
      if (!SKIPPED_FOLDERS.includes(item.name) && !SKIPPED_FOLDERS.includes(`/${path}`)) files.push(...listFiles(root, path));
    } else if (item.isFile()) {
      files.push(path);
    }
  }
  return files.sort();
}

/**
 * Every module that a file names, with its line: imports, re-exports, `import()` and the types of `import("…")`.
 * @returns {{ specifier: string, line: number, typeOnly: boolean }[]}
 */
function importsOf(path, source) {
  const syntax = /\.m?ts$/.test(path) ? { syntax: "typescript" } : { syntax: "ecmascript" };
  const bytes = Buffer.from(source);
  const found = [];
  const add = (literal, typeOnly) => {
    if (literal?.type !== "StringLiteral") return;
    // The parser counts bytes from 1.
    const line = bytes.subarray(0, literal.span.start - 1).reduce((lines, byte) => lines + (byte === 0x0a ? 1 : 0), 1);
    found.push({ specifier: literal.value, line, typeOnly });
  };
  const visit = (node) => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (node === null || typeof node !== "object") return;
    if (node.type === "ImportDeclaration" || node.type === "ExportAllDeclaration" || node.type === "ExportNamedDeclaration") {
      add(node.source, node.typeOnly === true);
    } else if (node.type === "CallExpression" && node.callee.type === "Import") {
      add(node.arguments[0]?.expression, false);
    } else if (node.type === "TsImportType") {
      add(node.argument, true);
    }
    Object.values(node).forEach(visit);
  };
  visit(parseSync(source, { ...syntax, target: "es2022" }).body);
  return found;
}

/** The source file that a relative specifier means, relative to `root`; null where there is none. */
function targetOf(root, path, specifier) {
  const exact = resolve(root, dirname(path), specifier);
  for (const candidate of [exact.replace(/\.js$/, ".ts"), exact.replace(/\.mjs$/, ".mts"), exact]) {
    if (extname(candidate) !== "" && existsSync(candidate)) return relative(root, candidate).replaceAll("\\", "/");
  }
  return null;
}

function roomOf(path) {
  const parts = path.split("/");
  return parts[0] === "src" && parts.length > 2 ? parts[1] : null;
}

/** Why `path` may not import `target`, or null where it may. Both are files of src/. */
function roomFault(path, target, typeOnly) {
  const from = roomOf(path);
  const to = roomOf(target);
  if (COMMON_FILES.includes(target) || (from === to && from !== null)) return null;
  if (COMMON_FILES.includes(path)) return "is common to all rooms and imports none of them";
  const anyDoor = from === null || ROOMS[from]?.may === "every door";
  if (to === null) {
    return anyDoor && TOP_FILES.includes(target) ? null : `which belongs to no room: only ${COMMON_FILES.join(", ")} is for all`;
  }
  const file = target.slice(`src/${to}/`.length);
  const level = anyDoor ? "door" : ROOMS[from]?.may[to];
  if (level === undefined) {
    const allowed = Object.keys(ROOMS[from]?.may ?? {}).join(", ") || "no other room";
    return `which the room ${from} may not (it imports ${allowed}): ${ROOMS[from]?.why ?? "it has no rule in scripts/check-rooms.mjs"}`;
  }
  if (file === "types.ts") return null;
  if (level === "types" && !typeOnly) return `of which the room ${from} may use only the types (${to}/types.js): ${ROOMS[from].why}`;
  if (file === "index.ts" || SIDE_DOORS.includes(target)) return null;
  return `which is inside the room ${to}: another room comes in by its door, ${to}/index.js, or its ${to}/types.js`;
}

function packageFault(path, specifier) {
  const name = specifier.startsWith("@") ? specifier.split("/", 2).join("/") : specifier.split("/", 1)[0];
  const owners = Object.hasOwn(PACKAGES, name) ? PACKAGES[name] : undefined;
  if (owners === undefined || TOP_FILES.includes(path) || owners.includes(roomOf(path))) return null;
  return `a package that only ${owners.join(", ")} may know`;
}

/** Circles of files that import each other, each once, named from its first file by name. */
function circlesOf(graph) {
  const circles = new Map();
  const done = new Set();
  const walk = (path, trail) => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      const circle = trail.slice(at);
      const first = circle.indexOf([...circle].sort()[0]);
      const named = [...circle.slice(first), ...circle.slice(0, first)];
      circles.set(named.join(" → "), named);
      return;
    }
    if (done.has(path)) return;
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  return [...circles.values()];
}

function checkText(path, bytes, report) {
  if (bytes.includes(0)) return;
  const lines = bytes.toString("utf8").split("\n");
  lines.forEach((line, index) => {
    for (const { text, why } of FORBIDDEN_TEXT) {
      if (line.includes(text)) report(path, index + 1, `mentions ${text}: ${why}`);
    }
  });
  const length = lines.at(-1) === "" ? lines.length - 1 : lines.length;
  if (CODE.has(extname(path)) && length > MAX_LINES) {
    report(path, length, `has ${length} lines, and a file at most ${MAX_LINES}: split it by subject`);
  }
}

function checkImports(root, path, source, report) {
  const targets = [];
  let imports;
  try {
    imports = importsOf(path, source);
  } catch (error) {
    report(path, 1, `cannot be parsed: ${error.message.trim().split("\n", 1)[0]}`);
    return targets;
  }
  for (const { specifier, line, typeOnly } of imports) {
    const inSrc = path.startsWith("src/");
    if (!specifier.startsWith(".")) {
      const fault = inSrc ? packageFault(path, specifier) : null;
      if (fault !== null) report(path, line, `imports "${specifier}", ${fault}`);
      continue;
    }
    const target = targetOf(root, path, specifier);
    if (target === null) {
      report(path, line, `imports "${specifier}", and there is no such file`);
      continue;
    }
    targets.push(target);
    if (!inSrc) continue;
    const fault = target.startsWith("src/") ? roomFault(path, target, typeOnly) : "which is outside src/";
    if (fault !== null) report(path, line, `imports "${specifier}", ${fault}`);
  }
  return targets;
}

/** @returns {{ files: number, findings: string[] }} */
function check(root) {
  const findings = [];
  const report = (path, line, text) => findings.push(`${path}:${line} ${text}`);
  const files = listFiles(root);
  const graph = new Map();
  for (const path of files) {
    const bytes = readFileSync(join(root, path));
    checkText(path, bytes, report);
    if (PARSED.has(extname(path))) graph.set(path, checkImports(root, path, bytes.toString("utf8"), report));
  }
  for (const room of new Set(files.map(roomOf))) {
    if (room !== null && !Object.hasOwn(ROOMS, room)) {
      report(`src/${room}`, 1, "is a room without a rule: say in scripts/check-rooms.mjs what it may import");
    }
  }
  for (const circle of circlesOf(graph)) {
    report(circle[0], 1, `is in a circle of imports: ${[...circle, circle[0]].join(" → ")}. Move what they share to a file of its own`);
  }
  return { files: files.length, findings };
}

const { files, findings } = check(resolve(argv[2] ?? fileURLToPath(new URL("..", import.meta.url))));
for (const finding of findings) stdout.write(`${finding}\n`);
stdout.write(`check-rooms: ${files} files, ${findings.length === 0 ? "nothing found" : `${findings.length} findings`}\n`);
exit(findings.length === 0 ? 0 : 1);
