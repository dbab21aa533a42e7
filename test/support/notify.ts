import type { Service } from "./service.js";

/** Tells members something over `POST /v1/notifications`. Resolves once it is accepted. */
export async function notify(
  service: Service,
  to: string[],
  text: string,
  key?: string,
): Promise<{ notified: Array<{ id: string; seq: number }> }> {
  const response = await fetch(`${service.url}/v1/notifications`, {
    method: "POST",
    headers: { authorization: `Bearer ${service.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ to, type: "test", text, ...(key === undefined ? {} : { key }) }),
  });
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as { notified: Array<{ id: string; seq: number }> };
}
