import type { mongo } from "mongoose";
import type { Logger } from "pino";
import { DEADLINE } from "./connection.js";
import { guard } from "./errors.js";

/** From here on it is told: as with other nodes' clocks, less is what a machine without NTP is off by. Milliseconds. */
const TOLD_ABOVE_MS = 5_000;

/** Warns where the clock of the primary and this machine's differ by far: one of the two stamps entries with wrong times. */
export async function tellSkew(db: mongo.Db, log: Logger): Promise<void> {
  const ahead = await skewMs(db);
  if (Math.abs(ahead) <= TOLD_ABOVE_MS) return;
  const seconds = Math.round(Math.abs(ahead) / 1_000);
  const message = `the clock of MongoDB is ${ahead > 0 ? "ahead of" : "behind"} this machine's: times in entries and the expiry of tokens go by the latter; set both by NTP`;
  log.warn({ seconds }, message);
}

/** How far the primary's clock is ahead, exact to half the time that the question takes. Milliseconds. */
function skewMs(db: mongo.Db): Promise<number> {
  return guard(async () => {
    const asked = Date.now();
    const start = performance.now();
    const { localTime } = await db.command({ hello: 1, ...DEADLINE });
    const middle = asked + (performance.now() - start) / 2;
    return (localTime as Date).getTime() - middle;
  });
}
