import { tokenFor } from "./member.js";
import type { Service } from "./service.js";

/** An answer over HTTP. `body` is the JSON, or the text of what is none. */
export interface Answer {
  status: number;
  body: Record<string, unknown>;
  text: string;
  headers: Headers;
}

/** Calls the service as whoever has the credential. A `body` that is a text goes as it is; no `body`, no content type. */
export async function call(
  service: Pick<Service, "url">,
  method: string,
  path: string,
  credential: string,
  body?: unknown,
): Promise<Answer> {
  const headers: Record<string, string> = { authorization: `Bearer ${credential}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  const init = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
  const response = await fetch(`${service.url}${path}`, { method, headers, ...init });
  const text = await response.text();
  const isJson = /^application\/(problem\+)?json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, body: isJson ? JSON.parse(text) : {}, text, headers: response.headers };
}

/** A credential of a member with these roles. */
export function tokenOf(service: Pick<Service, "jwtSecret">, sub: string, ...roles: string[]): string {
  return tokenFor(service.jwtSecret, roles.length === 0 ? { sub } : { sub, roles });
}

/** A moment from now, as the wire has it. */
export function inMs(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}
