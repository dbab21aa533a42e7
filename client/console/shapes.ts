/** What the service answers, as docs/PROTOCOL.md has it. Times are RFC 3339. */

/** A page of a list. `next`: where a search has to go on. */
export interface Listing<T> {
  items: T[];
  more: boolean;
  next?: string;
}

export type Level = "info" | "warning" | "critical";
export type State = "scheduled" | "live" | "expired" | "rescinded";

export interface Audience {
  roles?: string[];
  users?: string[];
  joinedBefore?: string;
  joinedAfter?: string;
}

export interface Announcement {
  id: string;
  title: string;
  text: string;
  url?: string;
  level: Level;
  audience?: Audience;
  startsAt?: string;
  expiresAt?: string;
  dismissible: boolean;
  mandatory: boolean;
  createdAt: string;
  by: string;
  state: State;
  rescindedAt?: string;
  why?: string;
}

export interface ReportRow {
  user: string;
  reachedAt: string | null;
  seenAt: string | null;
  acknowledgedAt: string | null;
}

export interface Report {
  audience: number;
  reached: number;
  seen: number;
  acknowledged: number;
  members: ReportRow[];
  more: boolean;
}

export interface Sanction {
  until: string | null;
  why: string;
  by: string;
  at: string;
}

export interface Member {
  user: string;
  name?: string;
  roles: string[];
  joinedAt: string;
  mute: Sanction | null;
  ban: Sanction | null;
}

export interface OnlineMember {
  user: string;
  name?: string;
  sessions: number;
}

export interface AuditEntry {
  id: string;
  at: string;
  by: string;
  act: string;
  target?: string;
  why?: string;
  until?: string;
  refused?: string;
  from?: string;
}

export interface Minute {
  at: string;
  events: number;
  entries: number;
  delivered: number;
  replayed: number;
  sessions: number;
  processes: number;
  ingestMs: { p50: number; p99: number } | null;
  deliveryMs: { p50: number; p99: number } | null;
}

export interface Trace {
  user: string;
  event: string;
  told: boolean;
  reason?: string;
  steps: string[];
}
