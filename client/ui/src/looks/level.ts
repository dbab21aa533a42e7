import type { Announcement } from "belfry-client";
import type { Key } from "../text/catalogue.js";
import type { IconName } from "./icons.js";

/** How an announcement of a level looks, and what the level is called. */
export interface Level {
  readonly code: "info" | "warning" | "critical";
  readonly name: Key;
  readonly picture: IconName;
}

const INFO: Level = { code: "info", name: "levelInfo", picture: "info" };

const LEVELS: ReadonlyMap<string, Level> = new Map([
  ["warning", { code: "warning", name: "levelWarning", picture: "warning" }],
  ["critical", { code: "critical", name: "levelCritical", picture: "critical" }],
]);

/** Levels of a later version are shown as the mildest. */
export function levelOf({ level }: Announcement): Level {
  return LEVELS.get(level) ?? INFO;
}
