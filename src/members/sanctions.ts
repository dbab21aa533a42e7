import { BelfryError } from "../errors.js";
import type { MemberRecord, Sanction } from "./types.js";

/** The sanction while it holds; null where there is none or it has run out. */
export function standing(sanction: Sanction | null, now: number): Sanction | null {
  return sanction === null || (sanction.until !== null && sanction.until <= now) ? null : sanction;
}

/** @throws BelfryError `banned`, with the reason and the end, while the member is. */
export function refuseBanned(member: MemberRecord, now: number): void {
  const ban = standing(member.ban, now);
  if (ban !== null) throw new BelfryError("banned", told("banned", ban));
}

/** @throws BelfryError `muted`, with the reason and the end, while the member is. */
export function refuseMuted(member: MemberRecord, now: number): void {
  const mute = standing(member.mute, now);
  if (mute !== null) throw new BelfryError("muted", told("muted", mute));
}

function told(what: "banned" | "muted", { until, why }: Sanction): string {
  const end = until === null ? "for good" : `until ${new Date(until).toISOString()}`;
  return `You are ${what} ${end}: ${why}${/[.!?…]$/.test(why) ? "" : "."}`;
}
