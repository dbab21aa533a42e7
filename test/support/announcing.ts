import { tokenFor } from "./member.js";

/** An announcement as its authors get it. */
export interface Announced extends Record<string, unknown> {
  id: string;
  state?: string;
}

interface AuditEntry {
  id: string;
  by: string;
  act: string;
  target?: string;
  refused?: string;
}

/** The HTTP calls of those who announce: a server, or a member whose token has these roles. */
export class Announcer {
  constructor(
    readonly where: { url: string; apiKey: string; jwtSecret: string },
    readonly as?: { user: string; roles: string[] },
  ) {}

  /** A call, whatever it is answered. */
  async call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown>; text: string }> {
    const { url, apiKey, jwtSecret } = this.where;
    const credential = this.as === undefined ? apiKey : tokenFor(jwtSecret, { sub: this.as.user, roles: this.as.roles });
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${credential}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : {}, text };
  }

  /** A call that must succeed. */
  async must(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const answer = await this.call(method, path, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  /** Announces; what is not given is of no matter. */
  async announce(fields: Record<string, unknown> = {}): Promise<Announced> {
    return (await this.must("POST", "/v1/announcements", { title: "Maintenance", text: "Tonight.", ...fields })) as Announced;
  }

  async edit(id: string, fields: Record<string, unknown>): Promise<Announced> {
    return (await this.must("PATCH", `/v1/announcements/${id}`, fields)) as Announced;
  }

  async rescind(id: string, why?: string): Promise<Announced> {
    return (await this.must("DELETE", `/v1/announcements/${id}`, why === undefined ? undefined : { why })) as Announced;
  }

  /** Makes a member known. */
  async register(user: string, fields: Record<string, unknown> = {}): Promise<void> {
    await this.must("PUT", `/v1/members/${encodeURIComponent(user)}`, fields);
  }

  /** The newest entries of the audit log, newest first. */
  async audit(limit = 100): Promise<AuditEntry[]> {
    return (await this.must("GET", `/v1/audit?limit=${limit}`)).items as AuditEntry[];
  }

  /** All announcements, newest first, up to a hundred. */
  async list(): Promise<Announced[]> {
    return (await this.must("GET", "/v1/announcements?limit=100")).items as Announced[];
  }
}

/** A time so many milliseconds from now. */
export function fromNow(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}
