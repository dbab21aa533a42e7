import type { AnnouncementRecord } from "../../src/announcements/types.js";
import { fresh, T0 } from "./rows.js";

let moment = T0;

/** An announcement that is newer than those of the tests before, with the fields that do not matter filled in. */
export function announced(over: Partial<AnnouncementRecord> = {}): AnnouncementRecord {
  const id = over.id ?? fresh("a");
  moment += 1_000_000;
  return {
    id,
    revision: 1,
    state: "live",
    announcement: {
      id,
      title: "Maintenance",
      text: "Tonight.",
      level: "info",
      audience: { roles: ["$staff"], users: ["__proto__"] },
      dismissible: true,
      mandatory: false,
      createdAt: new Date(moment).toISOString(),
      by: "admin",
    },
    createdAt: moment,
    startsAt: null,
    expiresAt: null,
    endedAt: null,
    why: null,
    seq: null,
    ...over,
  };
}
