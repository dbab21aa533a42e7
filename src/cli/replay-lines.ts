import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";

/** A line of a file; `number` counts from 1, blank lines too. */
export interface Line {
  number: number;
  bytes: Buffer;
}

const NEWLINE = 0x0a;
const GZIP_MAGIC = [0x1f, 0x8b];

/**
 * The lines of a file that are not blank, as the bytes that they are: a signature is over bytes, and JSON text may hold characters that
 * line readers of text take for the end of a line. A gzipped file is recognised by its first bytes.
 */
export async function* readLines(file: string): AsyncGenerator<Line> {
  const source = createReadStream(file);
  const content = (await isGzip(file)) ? pipeline(source, createGunzip(), () => undefined) : source;
  let rest: Buffer[] = [];
  let number = 0;

  for await (const chunk of content as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      const bytes = Buffer.concat([...rest, chunk.subarray(from, end)]);
      rest = [];
      from = end + 1;
      number += 1;
      if (!isBlank(bytes)) yield { number, bytes };
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
  const last = Buffer.concat(rest);
  number += 1;
  if (!isBlank(last)) yield { number, bytes: last };
}

/** How many lines there are from line `from` on. Reads the whole file, so a broken one is found before anything is sent. */
export async function countLines(file: string, from: number): Promise<number> {
  let count = 0;
  for await (const { number } of readLines(file)) if (number >= from) count += 1;
  return count;
}

async function isGzip(file: string): Promise<boolean> {
  const handle = await open(file, "r");
  try {
    const start = Buffer.alloc(GZIP_MAGIC.length);
    await handle.read(start, 0, start.length, 0);
    return GZIP_MAGIC.every((byte, index) => start[index] === byte);
  } finally {
    await handle.close();
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}
