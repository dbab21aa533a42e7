import type { Request } from "express";
import { z } from "zod";
import { checked, id } from "../checked.js";
import { DEFAULT_PAGE, MAX_ACT_NAME_LENGTH, MAX_PAGE } from "./limits.js";

const limit = z.preprocess(numberIn, z.int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE));

/** Query of `GET /v1/announcements`. */
const list = z.object({ before: id.exactOptional(), limit });

/** Query of a report. */
const report = z.object({ after: id.exactOptional(), limit });

/** Query of `GET /v1/audit`. */
const audit = z.object({
  before: id.exactOptional(),
  limit,
  by: id.exactOptional(),
  act: z.string().min(1).max(MAX_ACT_NAME_LENGTH).exactOptional(),
  target: id.exactOptional(),
});

/** Query of `GET /v1/online/members`. */
const roll = z.object({ user: id.exactOptional(), after: id.exactOptional(), limit, search: id.exactOptional() });

const trace = z.object({ user: id, event: id });

const FORMATS = {
  json: "application/json",
  csv: "text/csv",
  ndjson: "application/x-ndjson",
} as const;
export type Format = keyof typeof FORMATS;

/** The page that is asked for. All of these throw `BelfryError` `bad_request`; fields that they do not know are ignored. */
export function listQuery(query: unknown): z.output<typeof list> {
  return checked(list, given(query), "The query");
}

/** The page of a report's members; `after` is a member. */
export function reportQuery(query: unknown): z.output<typeof report> {
  return checked(report, given(query), "The query");
}

/** The page of the audit log, and what it is narrowed to. */
export function auditQuery(query: unknown): z.output<typeof audit> {
  return checked(audit, given(query), "The query");
}

/** The page of members who are online, and the text that is searched. */
export function rollQuery(query: unknown): z.output<typeof roll> {
  return checked(roll, given(query), "The query");
}

/** Whom and which event a trace is about. */
export function traceQuery(query: unknown): z.output<typeof trace> {
  return checked(trace, query, "The query");
}

/** The id in a path, decoded. */
export function idIn(parameter: unknown): string {
  return checked(id, parameter, "The id in the path");
}

/** In which of the formats an answer is wanted: `?format=` says so, or else `Accept`. JSON for whoever takes anything. */
export function formatOf(request: Request, others: Exclude<Format, "json">[]): Format {
  const formats: Format[] = ["json", ...others];
  if (request.query.format !== undefined) return checked(z.enum(formats), request.query.format, "format");
  const accepted = request.accepts(formats.map((format) => FORMATS[format]));
  return formats.find((format) => FORMATS[format] === accepted) ?? "json";
}

/** A query's number as a number; anything else as it is, for the schema to refuse. */
export function numberIn(value: unknown): unknown {
  return typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
}

/** The fields of a query that have a value: `?before=&limit=20` asks for the first page. */
export function given(query: unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(Object(query) as object).filter(([, value]) => value !== ""));
}
