import { call, tokenOf } from "./call.js";
import type { Phone } from "./push-service.js";
import type { Service } from "./service.js";

/** Adds the member's device to the service. @throws Error where that is refused. */
export async function register(service: Service, user: string, phone: Phone): Promise<void> {
  const { status, text } = await call(service, "PUT", "/v1/me/push", tokenOf(service, user), phone.subscription);
  if (status !== 200) throw new Error(`${status} ${text}`);
}

/** The endpoints of the member's devices, as the service has them. */
export async function endpointsOf(service: Service, user: string): Promise<string[]> {
  const { body, status, text } = await call(service, "GET", "/v1/me/push", tokenOf(service, user));
  if (status !== 200) throw new Error(text);
  return (body.items as Array<{ endpoint: string }>).map(({ endpoint }) => endpoint);
}

/** What the messages were about, in order: the ids of notifications. */
export function toldOf(phone: Phone): string[] {
  return phone.messages.map(({ payload }) => payload.id);
}
