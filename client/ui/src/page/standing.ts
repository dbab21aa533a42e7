import type { Announcement, Belfry } from "belfry-client";

/**
 * The announcements that stand. Online, the service takes those away that are over; offline nobody does, so this device's clock has to. Not
 * online too: a clock that is hours ahead would hide what is still in force.
 */
export function standing({ announcements, status }: Belfry): readonly Announcement[] {
  if (status.is === "online") return announcements;
  return announcements.filter(({ expiresAt }) => !expiresAt || Date.parse(expiresAt) > Date.now());
}
