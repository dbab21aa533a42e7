import pino from "pino";
import { openRedisLink, type RedisLink } from "../../src/cluster/redis/link.js";
import { redisOf } from "../../src/config/redis-url.js";
import type { RedisTarget } from "../../src/config/types.js";
import { until } from "./member.js";

/** What an address means. @throws Error where it means nothing. */
function targetOf(url: string): RedisTarget {
  const target = redisOf({ MONGODB_URL: "mongodb://there/is", REDIS_URL: url });
  if (target === null) throw new Error("no address");
  return target;
}

/** A link and what the log says of it; 20 is the level of what only `debug` shows. */
export interface Logged {
  link: RedisLink;
  lines: Array<{ level: number; msg: string; reason?: string }>;
}

/** Links of one test file; `closeAll` after each test. */
export class Links {
  readonly #open: RedisLink[] = [];

  async open(url: string): Promise<RedisLink> {
    return (await this.openLogged(url)).link;
  }

  async openLogged(url: string): Promise<Logged> {
    const lines: Logged["lines"] = [];
    const log = pino({ level: "debug" }, { write: (line: string) => lines.push(JSON.parse(line)) });
    const link = await openRedisLink(targetOf(url), { log });
    this.#open.push(link);
    return { link, lines };
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((link) => link.close()));
  }
}

/** Everything that a link hears on a channel, in order. */
export function ear(link: RedisLink, channel: string): string[] {
  const heard: string[] = [];
  link.subscribe(channel, (text) => heard.push(text));
  return heard;
}

/** Waits until what one link publishes arrives at the other. */
export async function untilCarried(from: RedisLink, to: RedisLink, ms?: number): Promise<void> {
  const channel = `belfry:test:${Math.random()}`;
  const heard = ear(to, channel);
  await until(
    "a message arrives",
    () => {
      from.publish(channel, "there?");
      return heard.length > 0;
    },
    ms,
  );
}
