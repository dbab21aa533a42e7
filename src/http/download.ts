import type { Response } from "express";
import { DOWNLOAD_CHUNK, DOWNLOAD_STALL_MS } from "./limits.js";

/** A file that is made line by line while it is sent. */
export interface Download {
  /** What a browser calls it. */
  name: string;
  /** Its media type. */
  type: string;
  /** Its first line, empty for none. */
  header: string;
  /** With their ends. */
  lines: AsyncIterable<string>;
}

/**
 * Sends a file no faster than it is read, so that it costs a chunk of memory whatever its length. What `lines` throws before the first chunk
 * is full is thrown on, to be answered as a problem; later, all that is left is to cut the answer off, which the error handler does.
 */
export async function sendDownload(response: Response, { name, type, header, lines }: Download): Promise<void> {
  const begin = () => {
    if (response.headersSent) return;
    response.attachment(name).type(type);
    // Without a listener the connection ends when it stands still for that long.
    response.setTimeout(DOWNLOAD_STALL_MS);
  };
  let waiting = header;
  for await (const line of lines) {
    waiting += line;
    if (waiting.length < DOWNLOAD_CHUNK) continue;
    begin();
    if (!response.write(waiting)) await drained(response);
    if (response.destroyed) return;
    waiting = "";
  }
  begin();
  response.end(waiting);
}

/** Resolves when the reader has caught up, or is gone. */
function drained(response: Response): Promise<void> {
  return new Promise((resolve) => {
    if (response.destroyed) {
      resolve();
      return;
    }
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}
