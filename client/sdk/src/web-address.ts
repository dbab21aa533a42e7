/**
 * An address that may become a link: http and https only, so that `javascript:` and `data:` never do. Relative ones have no place in a
 * notification, which is shown on other pages than it was written for.
 * @returns the address, or null where it is none
 */
export function webAddress(url: unknown): string | null {
  return typeof url === "string" && /^https?:\/\/[^\s/]/i.test(url) ? url : null;
}
