import { access, constants, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

export const HELP = `Usage: npm run replay -- FILE [options]

Sends a file of Discourse webhook bodies (one JSON object a line, .gz or not) to a running service, signed, one after the other.

  --url URL         where the service is (http://localhost:3000)
  --secret TEXT     the webhook's secret (DISCOURSE_SECRET, else the one in keys.json of the data folder)
  --data-dir DIR    the service's data folder (DATA_DIR, else ./data)
  --rate N          at most N a second (as fast as the service answers)
  --from N          start with line N (1)
  --event NAME      what the bodies are (post_created)
  --instance URL    the forum's address (https://forum.example)
  --help            this text

Exit status: 0 all were taken, 1 some were not, 2 the command is wrong.`;

export interface ReplayOptions {
  file: string;
  url: URL;
  secret: string;
  /** Posts a second; infinite where nothing is said. */
  rate: number;
  /** The first line to send, from 1. */
  from: number;
  event: string;
  instance: string;
}

/** The command cannot be run as it was given; the message says why. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The options of a command line, or null where it asks for help. @throws UsageError */
export async function readOptions(args: string[], env: NodeJS.ProcessEnv): Promise<ReplayOptions | null> {
  const { values, positionals } = parse(args);
  if (values.help === true) return null;
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) throw new UsageError("Name one file.");
  await access(file, constants.R_OK).catch(() => {
    throw new UsageError(`${file} cannot be read.`);
  });
  return {
    file,
    url: urlOf(values.url ?? "http://localhost:3000"),
    rate: values.rate === undefined ? Number.POSITIVE_INFINITY : numberOf("--rate", values.rate.replace(/\/s$/, ""), /^\d+(\.\d+)?$/),
    from: values.from === undefined ? 1 : numberOf("--from", values.from, /^\d+$/),
    event: headerOf("--event", values.event ?? "post_created"),
    instance: headerOf("--instance", values.instance ?? "https://forum.example"),
    secret: values.secret ?? env.DISCOURSE_SECRET ?? (await storedSecret(values["data-dir"] ?? env.DATA_DIR ?? "./data")),
  };
}

function parse(args: string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        url: text,
        secret: text,
        "data-dir": text,
        rate: text,
        from: text,
        event: text,
        instance: text,
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function urlOf(text: string): URL {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text))
    throw new UsageError(`--url must start with http:// or https://, and is ${text}.`);
  return new URL(text);
}

function headerOf(flag: string, text: string): string {
  if (!/^[\x21-\x7e]+$/.test(text)) throw new UsageError(`${flag} must be one word of plain ASCII.`);
  return text;
}

function numberOf(flag: string, text: string, form: RegExp): number {
  const number = Number(text);
  if (!form.test(text) || number <= 0) throw new UsageError(`${flag} must be a number above 0, and is ${text}.`);
  return number;
}

async function storedSecret(dataDir: string): Promise<string> {
  const file = join(dataDir, "keys.json");
  const advice = "give --secret, or set DISCOURSE_SECRET, or name the data folder of a service that has been started with --data-dir";
  let secret: unknown;
  try {
    secret = (JSON.parse(await readFile(file, "utf8")) as { discourseSecret?: unknown }).discourseSecret;
  } catch {
    throw new UsageError(`There is no secret to sign with, as ${file} cannot be read: ${advice}.`);
  }
  if (typeof secret !== "string") throw new UsageError(`There is no secret to sign with, as ${file} has no discourseSecret: ${advice}.`);
  return secret;
}
