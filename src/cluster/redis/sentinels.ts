import type { HostPort } from "../../config/types.js";
import { RedisRefused } from "../types.js";
import { type Access, type Dialer, NOBODY } from "./connection.js";
import { refusalOf, wrongKind } from "./refusals.js";

/**
 * Asks the Sentinels which server is the master now: the one that more than half of them name, or, where fewer answer, the one that most
 * name. A single Sentinel that was cut off from the others may name the old one.
 *
 * The library has a client for Sentinels, which is not used: it keeps what is published during an outage, however it is told not to, and does
 * not say when its subscriptions stand at the new master, without which nobody knows from when on nothing is missed.
 * @throws RedisRefused where more than half of them refuse; what the last said, where none answers.
 */
export function findMaster(dialer: Dialer, sentinels: HostPort[], name: string): Promise<HostPort> {
  const half = sentinels.length / 2;
  return new Promise((resolve, reject) => {
    const votes = new Map<string, { server: HostPort; count: number }>();
    const faults: unknown[] = [];
    const decide = (answered: number): void => {
      const [first] = [...votes.values()].sort((one, other) => other.count - one.count);
      const refusals = faults.filter((fault) => fault instanceof RedisRefused);
      if (first !== undefined && (first.count > half || answered === sentinels.length)) resolve(first.server);
      else if (refusals.length > half) reject(refusals[0]);
      else if (answered === sentinels.length) reject(faults.at(-1));
    };
    let answered = 0;
    for (const sentinel of sentinels) {
      ask(dialer, sentinel, name).then(
        (server) => {
          const key = `${server.host}:${server.port}`;
          const count = (votes.get(key)?.count ?? 0) + 1;
          votes.set(key, { server, count });
          decide(++answered);
        },
        (fault) => {
          faults.push(fault);
          decide(++answered);
        },
      );
    }
  });
}

async function ask(dialer: Dialer, sentinel: HostPort, name: string): Promise<HostPort> {
  try {
    // Most Sentinels ask for no password, and refuse one that they have not.
    const { access } = dialer;
    return await askOnce(dialer, sentinel, name, { ...access, ...NOBODY }).catch((error: Error) => {
      if (access.password !== null && error.message.startsWith("NOAUTH")) return askOnce(dialer, sentinel, name, access);
      throw error;
    });
  } catch (error) {
    throw refusalOf(error, sentinel) ?? error;
  }
}

async function askOnce(dialer: Dialer, sentinel: HostPort, name: string, access: Access): Promise<HostPort> {
  const connection = dialer.dial(sentinel, "belfry-inquiry", { access });
  try {
    const { mode } = await connection.open();
    if (mode !== "sentinel") {
      throw wrongKind(`${sentinel.host}:${sentinel.port} is no Sentinel`, "name the Sentinels, or write redis:// or redis+cluster://");
    }
    const address = await connection.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name);
    if (address === null) {
      throw wrongKind("the Sentinels watch no master of that name", "correct the name after the hosts (`SENTINEL MASTERS` lists them)");
    }
    const [host, port] = Array.isArray(address) ? address : [];
    if (typeof host !== "string" || !Number.isInteger(Number(port))) throw new Error("the Sentinel does not name its master");
    return { host, port: Number(port) };
  } finally {
    connection.end(new Error("it is not needed any more"));
  }
}
