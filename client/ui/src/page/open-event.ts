import type { Notification } from "belfry-client";

/** A member has chosen a notification. Cancelled, the page leads there itself; else the browser follows the address, if there is one. */
export class OpenEvent extends Event {
  constructor(
    readonly notification: Notification,
    /** Where it leads: an address of http or https, or null. */
    readonly url: string | null,
  ) {
    super("belfry-open", { bubbles: true, composed: true, cancelable: true });
  }
}

/** Whether a click asks the browser for another tab or window: then nothing leads away from this one, and the page has no say. */
export function opensElsewhere(url: string | null, { ctrlKey, metaKey, shiftKey }: MouseEvent): boolean {
  return url !== null && (ctrlKey || metaKey || shiftKey);
}
