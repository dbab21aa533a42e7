import { Refusal } from "./refusal.js";

/** How long an answer is waited for that the page asks for again. Threat: a connection that died unnoticed, and a page that waits for it for ever. Milliseconds. */
const ANSWER_MS = 60_000;

/** The service over HTTP, as the bearer of a token. Every call throws `Refusal`. */
export class Api {
  readonly #token: string;
  readonly #onRefusal: (refusal: Refusal) => void;
  /** How far the service's clock is ahead of this device's. Milliseconds. */
  #ahead = 0;

  /** `onRefusal` hears of every call that was refused, before its caller does. */
  constructor(token: string, onRefusal: (refusal: Refusal) => void) {
    this.#token = token;
    this.#onRefusal = onRefusal;
  }

  /** What time it is by the service's clock, to a second or two: a device's own may be hours off. Milliseconds since the Unix epoch. */
  now(): number {
    return Date.now() + this.#ahead;
  }

  async get<T>(path: string, query: Record<string, string | number | undefined> = {}): Promise<T> {
    const signal = AbortSignal.timeout(ANSWER_MS);
    return answerOf(await this.#send("GET", withQuery(path, query), { signal }));
  }

  async send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body: object): Promise<T> {
    return answerOf(await this.#send(method, path, { body }));
  }

  /** Gets a file and has the browser save it. */
  async save(path: string, query: Record<string, string | undefined>, name: string): Promise<void> {
    const blob = await (await this.#send("GET", withQuery(path, query))).blob();
    const url = URL.createObjectURL(blob);
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
    // The browser has taken hold of it with the click.
    setTimeout(() => URL.revokeObjectURL(url), 0);
  }

  async #send(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    try {
      const response = await request(method, path, this.#token, options);
      const date = Date.parse(response.headers.get("Date") ?? "");
      if (!Number.isNaN(date)) this.#ahead = date - Date.now();
      return response;
    } catch (error) {
      if (error instanceof Refusal) this.#onRefusal(error);
      throw error;
    }
  }
}

interface RequestOptions {
  body?: object;
  signal?: AbortSignal;
}

/** One call; without a token for what anybody may ask. @throws Refusal */
export async function request(method: string, path: string, token: string | null, options: RequestOptions = {}): Promise<Response> {
  const { body, signal = null } = options;
  const headers: Record<string, string> = {};
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      cache: "no-store",
      signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw new Refusal("unreachable", error instanceof Error ? error.message : String(error));
  }
  if (response.ok) return response;
  const problem: unknown = await response.json().catch(() => null);
  const { code, detail } = Object(problem) as Record<string, unknown>;
  // What is no answer of the service comes from something before it.
  throw new Refusal(typeof code === "string" ? code : "unreachable", typeof detail === "string" ? detail : `HTTP ${response.status}`);
}

/** What it says. @throws Refusal where it is cut off */
async function answerOf<T>(response: Response): Promise<T> {
  try {
    return await (response.json() as Promise<T>);
  } catch (error) {
    throw new Refusal("unreachable", error instanceof Error ? error.message : String(error));
  }
}

function withQuery(path: string, query: Record<string, string | number | undefined>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string | number] => pair[1] !== undefined && pair[1] !== "");
  if (given.length === 0) return path;
  return `${path}?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

/** A part of a path, whatever an id has in it. */
export function segment(id: string): string {
  return encodeURIComponent(id);
}
