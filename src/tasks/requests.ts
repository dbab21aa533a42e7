import { z } from "zod";
import { checked, id, MAX_TEXT_LENGTH, url } from "../checked.js";
import { TASK_STATES, type Task } from "./types.js";

/** Characters of a task's title and of the name of its step. Threat: packets of any size, ten times a second. */
const MAX_TITLE_LENGTH = 300;

const title = z.string().max(MAX_TITLE_LENGTH);
const report = z.object({
  id,
  user: id,
  state: z.enum(TASK_STATES),
  step: title.nullish(),
  percent: z.number().min(0).max(100).nullish(),
  title: title.nullish(),
  url: url.nullish(),
  text: z.string().max(MAX_TEXT_LENGTH).nullish(),
});

/** What a server says of a task. */
export type Report = Omit<Task, "at">;

/**
 * A report as `PUT /v1/tasks/:id` takes it.
 * @throws BelfryError `bad_request` that names the field and its fault.
 */
export function parseReport(task: unknown, body: unknown): Report {
  const fields = typeof body === "object" && body !== null && !Array.isArray(body) ? { ...body, id: task } : body;
  const given = checked(report, fields, "The body");
  const parsed: Report = { id: given.id, user: given.user, state: given.state };
  if (given.step != null) parsed.step = given.step;
  if (given.percent != null) parsed.percent = given.percent;
  if (given.title != null) parsed.title = given.title;
  if (given.url != null) parsed.url = given.url;
  if (given.text != null) parsed.text = given.text;
  return parsed;
}
