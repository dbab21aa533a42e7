import { Agent, request } from "node:http";
import type { Service } from "./service.js";

/** Connections over which a flood comes. */
const CONNECTIONS = 8;

/** How often the due requests are sent. Milliseconds. */
const TICK_MS = 10;

/** What came of a flood. */
export interface Flood {
  /** Requests that were answered 200. */
  accepted: number;
  /** From the first request to the last answer. Milliseconds. */
  ms: number;
}

/**
 * Sends PUTs with the API key, so many a second over several connections that are kept. `bodyOf`: the body of each, counted from 0. Resolves
 * when all are answered.
 */
export async function flood(
  service: Service,
  path: string,
  { perSecond, seconds, bodyOf }: { perSecond: number; seconds: number; bodyOf: (index: number) => object },
): Promise<Flood> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const total = perSecond * seconds;
  const began = performance.now();
  const elapsed = () => performance.now() - began;
  let sent = 0;
  let accepted = 0;
  const answers: Array<Promise<void>> = [];
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      for (const due = Math.min(total, (elapsed() * perSecond) / 1_000); sent < due; sent++) {
        answers.push(
          put(service, path, agent, bodyOf(sent)).then((status) => {
            if (status === 200) accepted++;
          }),
        );
      }
      if (sent < total) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
  await Promise.all(answers);
  agent.destroy();
  return { accepted, ms: elapsed() };
}

/** The status of the answer. */
function put(service: Service, path: string, agent: Agent, body: object): Promise<number> {
  const text = JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${service.apiKey}`,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  };
  return new Promise((resolve, reject) => {
    const sending = request(`${service.url}${path}`, { method: "PUT", agent, headers }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    sending.on("error", reject);
    sending.end(text);
  });
}
