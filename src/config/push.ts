import { ConfigError } from "./config-error.js";
import type { PushConfig } from "./types.js";
import { numberOf, type Settings, wordOf } from "./variables.js";

/** Whom push services are told to turn to where the operator has not said it: a name that no mail ever reaches (RFC 2606). */
export const MADE_UP_SUBJECT = "mailto:postmaster@belfry.invalid";

/** A bound against slips of the finger: after a day nothing is pushed at all. Seconds. */
const MAX_AFTER_SECONDS = 86_400;

const EXPECTED = "a mailto: address such as mailto:admin@forum.example, or an https:// one";

/** How members' devices are told; null where the operator has it off. @throws ConfigError */
export function pushOf(settings: Settings, allowedOrigins: string[]): PushConfig | null {
  const isOn = wordOf(settings, "PUSH", ["on", "off"], "on") === "on";
  const subject = settings.VAPID_SUBJECT?.trim() ?? allowedOrigins.find((origin) => origin.startsWith("https://")) ?? MADE_UP_SUBJECT;
  if (!/^mailto:[^\s@<>]+@[^\s@<>]+$|^https:\/\/[^\s/?#@]+(\/\S*)?$/.test(subject))
    throw new ConfigError("VAPID_SUBJECT", "it is no such address", EXPECTED);
  const push = {
    subject,
    afterMs: numberOf(settings, "PUSH_AFTER", 1, MAX_AFTER_SECONDS, 60) * 1_000,
    allowPrivate: wordOf(settings, "PUSH_PRIVATE", ["on", "off"], "off") === "on",
  };
  return isOn ? push : null;
}
