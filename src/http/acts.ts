import type { Request } from "express";
import type { Actor } from "../moderation/types.js";
import { hasBody, payloadOf } from "./body.js";
import type { ModerationApi } from "./ports.js";
import { idIn } from "./queries.js";

type Guard = Pick<ModerationApi, "guard">;

/**
 * What an act of moderation on `/:id` is about, and what it says.
 * @param act its name in the audit log.
 * @throws BelfryError `bad_request`, `too_large`, and what `Moderation.guard` throws.
 */
export async function readAct(
  request: Request,
  maxBytes: number,
  moderation: Guard,
  actor: Actor,
  act: string,
): Promise<{ target: string; payload: unknown }> {
  const target = await guarded(moderation, actor, { act }, async () => idIn(request.params.id));
  return { target, payload: await actPayload(request, maxBytes, moderation, actor, { act, target }) };
}

/** The body of an act; for one without, what the query says of the reason, since not every client can send a body with DELETE. */
export function actPayload(
  request: Request,
  maxBytes: number,
  moderation: Guard,
  actor: Actor,
  what: { act: string; target?: string },
): Promise<unknown> {
  const { why } = request.query;
  if (why !== undefined && !hasBody(request)) return Promise.resolve({ why });
  return guarded(moderation, actor, what, () => payloadOf(request, maxBytes));
}

/** An act that cannot be read is refused through the guard, like any other that is refused: so the audit log has it. */
async function guarded<T>(moderation: Guard, actor: Actor, what: { act: string; target?: string }, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (refusal) {
    return await moderation.guard(actor, what, () => Promise.reject(refusal));
  }
}
