import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ConfigError, shown } from "./config-error.js";
import { MIN_SECRET_BYTES } from "./token-keys.js";

/** Threat: guessing a generated key; 256 bits cannot be. */
const KEY_BYTES = 32;

const FILE_NAME = "keys.json";
const FIELDS = ["apiKey", "jwtSecret", "discourseSecret"] as const;

/** The keys of a service that was given none. Texts, used as they stand, so that an operator can copy them into the environment. */
export type StoredKeys = Record<(typeof FIELDS)[number], string>;

/** Makes the data folder where it is missing. @throws ConfigError where it cannot be written. */
export async function openDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(dataDir, error);
  }
}

/** The keys kept in the data folder; made at the first call. `made` tells whether this call made them. */
export async function storedKeys(dataDir: string): Promise<{ keys: StoredKeys; made: boolean }> {
  const file = join(dataDir, FILE_NAME);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw unusable(file, error);
    const keys = newKeys();
    await write(dataDir, file, keys).catch((fault: unknown) => Promise.reject(unusable(file, fault)));
    return { keys, made: true };
  }
  return { keys: parse(file, text), made: false };
}

function newKeys(): StoredKeys {
  const key = () => randomBytes(KEY_BYTES).toString("base64url");
  return { apiKey: key(), jwtSecret: key(), discourseSecret: key() };
}

/** Whole or not at all, whatever dies: another name first, on disk, then renamed. Only the owner may read it. */
async function write(dataDir: string, file: string, keys: StoredKeys): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    // "wx" after removing: a link that somebody left under this name is not followed.
    await rm(temporary, { force: true });
    const handle = await open(temporary, "wx", 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(keys, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const folder = await open(dataDir, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function parse(file: string, text: string): StoredKeys {
  const refuse = (fault: string) =>
    new ConfigError(
      "DATA_DIR",
      `${shown(resolve(file))} ${fault}`,
      `a JSON object with the texts ${FIELDS.join(", ")}; restore it, or delete it to get new keys`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse("is not JSON");
  }
  if (typeof value !== "object" || value === null) throw refuse("is not a JSON object");
  const keys = value as Record<string, unknown>;
  for (const field of FIELDS) {
    const key = keys[field];
    if (typeof key !== "string" || !/^[\x21-\x7e]+$/.test(key)) throw refuse(`lacks ${field}`);
    if (Buffer.byteLength(key) < MIN_SECRET_BYTES) throw refuse(`has a ${field} of fewer than ${MIN_SECRET_BYTES} bytes`);
  }
  return keys as StoredKeys;
}

function unusable(path: string, error: unknown): ConfigError {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown fault";
  return new ConfigError("DATA_DIR", `${shown(resolve(path))} cannot be used (${code})`, "a folder that the service may read and write");
}
