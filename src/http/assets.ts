import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { promisify } from "node:util";
import { gzip as gzipped } from "node:zlib";
import type { RequestHandler, Response } from "express";

const gzip = promisify(gzipped);

/** What is served, by its ending. A file of another kind is not. */
const TYPES: Record<string, string> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".map": "application/json; charset=utf-8",
  ".json": "application/json; charset=utf-8",
};

/** A shorter file gains nothing by it. Bytes. */
const MIN_COMPRESSED_BYTES = 1_024;

/** Names do not change with what is in the files, so a browser asks each time, and most often hears that nothing is new. */
const CACHING = "no-cache";

interface Asset {
  type: string;
  body: Buffer;
  /** Smaller, for those who take it; null where it would not be. */
  compressed: Buffer | null;
  /** Of the content, so that it is the same on every node. */
  etag: string;
}

/** Files by their path below the folder, with forward slashes: `console.js`. */
export type Assets = ReadonlyMap<string, Asset>;

/**
 * Reads all files of a folder, which are few and small. What is asked for is looked up in this list and nowhere else: no path leads out of
 * it. Without the folder it is empty.
 */
export async function loadAssets(folder: string): Promise<Assets> {
  const assets = new Map<string, Asset>();
  for (const file of await filesIn(folder)) {
    const type = TYPES[extname(file)];
    if (type === undefined) continue;
    const body = await readFile(file);
    const compressed = type.startsWith("image/png") || body.length < MIN_COMPRESSED_BYTES ? null : await gzip(body);
    const etag = createHash("sha256").update(body).digest("base64url").slice(0, 22);
    assets.set(relative(folder, file).split(sep).join("/"), { type, body, compressed, etag });
  }
  return assets;
}

/** Serves the files under their paths. Pages of any origin may run the scripts: that is what they are for. */
export function serveAssets(assets: Assets): RequestHandler {
  return (request, response, next) => {
    const asset = isRead(request.method) ? assets.get(request.path.slice(1)) : undefined;
    if (asset === undefined) {
      next();
      return;
    }
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Cross-Origin-Resource-Policy", "cross-origin");
    // A service worker for the pages of the whole site.
    response.setHeader("Service-Worker-Allowed", "/");
    send(response, asset, request.acceptsEncodings("gzip") === "gzip");
  };
}

/** Serves one of the files as a page. */
export function servePage(assets: Assets, path: string): RequestHandler {
  return (request, response, next) => {
    const asset = assets.get(path);
    if (asset === undefined) next();
    else send(response, asset, request.acceptsEncodings("gzip") === "gzip");
  };
}

function send(response: Response, { type, body, compressed, etag }: Asset, takesGzip: boolean): void {
  response.setHeader("Content-Type", type);
  response.setHeader("Cache-Control", CACHING);
  if (compressed !== null) response.vary("Accept-Encoding");
  const isCompressed = compressed !== null && takesGzip;
  if (isCompressed) response.setHeader("Content-Encoding", "gzip");
  // Another form of the same content is another thing to a cache.
  response.setHeader("ETag", isCompressed ? `"${etag}-gzip"` : `"${etag}"`);
  // Answers 304 where the caller has it, and HEAD without a body.
  response.send(isCompressed ? compressed : body);
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

async function filesIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
