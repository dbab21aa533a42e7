import type { TemplateResult } from "lit/html.js";
import type { Api } from "./api.js";
import type { AuditEntry } from "./shapes.js";
import type { Claims } from "./token.js";

/** What a page of the console works with. */
export interface Desk {
  readonly api: Api;
  readonly me: Claims;
  /** Draws everything anew, soon. */
  update(): void;
  /** Goes to another page: `/members/ada`. */
  go(path: string): void;
  /** Says in passing that something was done. */
  done(text: string): void;
  /** Calls the listener with every act as it is done. Returns the way to stop it. */
  onAudit(listener: (entry: AuditEntry) => void): () => void;
  /** Calls the listener when the live connection is there again after it was away. Returns the way to stop it. */
  onReturn(listener: () => void): () => void;
}

/** A page of the console. It is made when it is gone to, and closed when it is left. */
export interface Page {
  /** Its title, also of the browser's tab. */
  title(): string;
  view(): TemplateResult;
  close?(): void;
}

/** Does something every so often while the page can be seen. Returns the way to stop it. */
export function every(ms: number, work: () => void): () => void {
  const timer = setInterval(() => {
    if (document.visibilityState === "visible") work();
  }, ms);
  return () => clearInterval(timer);
}
