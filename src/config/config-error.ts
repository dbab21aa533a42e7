/**
 * A setting that stops the start. The message is one line that names the variable, its fault and what is expected; it never holds the value
 * of a secret. The process prints it and exits with 78 (EX_CONFIG of sysexits.h).
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(variable: string, fault: string, expected: string) {
    super(oneLine(`${variable}: ${fault}; expected ${expected}.`));
  }
}

/** Threat: a value that fills the terminal or forges further lines of the log. */
const MAX_SHOWN_VALUE = 80;

/** A value as it may be shown in a message; not for secrets, nor for addresses that may hold a password. */
export function shown(value: string): string {
  return JSON.stringify(value.length > MAX_SHOWN_VALUE ? `${value.slice(0, MAX_SHOWN_VALUE)}…` : value);
}

/** The text without line breaks and other control characters. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
}
