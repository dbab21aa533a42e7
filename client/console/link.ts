import { io, type Socket } from "socket.io-client";
import type { AuditEntry } from "./shapes.js";

/** Waits between two attempts grow from the first to the second, each shortened by chance. Milliseconds. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

/** How it stands with the service. `stopped`: it will not come back by itself; `code` and `message` say why. */
export interface LinkState {
  is: "connecting" | "online" | "away" | "stopped";
  code?: string;
  message?: string;
}

export interface LinkOptions {
  token: string;
  onState: (state: LinkState) => void;
  onAudit: (entry: AuditEntry) => void;
}

/** The live connection to `/moderation`: acts as they are done, and whether the service is there and lets this token in. */
export class Link {
  readonly #options: LinkOptions;
  readonly #socket: Socket;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #stopped = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    // Its waits are its own: Socket.IO's would go on after a refusal that is final, and stop after one that is not.
    this.#socket = io("/moderation", { auth: { token: options.token }, reconnection: false, forceNew: true });
    this.#socket.on("connect", () => {
      this.#failures = 0;
      options.onState({ is: "online" });
    });
    this.#socket.on("audit", (entry: AuditEntry) => options.onAudit(entry));
    this.#socket.on("goodbye", ({ code, message, reconnect, afterMs }: Farewell) => {
      // With its token the session could not come back.
      if (!reconnect || code === "token_expired") this.#stop(code, message);
      else this.#again(afterMs);
    });
    this.#socket.on("connect_error", (error: Error & { data?: Partial<Rejection> }) => {
      const { code, message, retry, retryAfterMs } = error.data ?? {};
      if (code === undefined || (retry === true && code !== "token_expired")) this.#again(retryAfterMs);
      else this.#stop(code, message ?? error.message);
    });
    this.#socket.on("disconnect", () => this.#again());
    globalThis.addEventListener("online", this.#now);
    options.onState({ is: "connecting" });
  }

  close(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    globalThis.removeEventListener("online", this.#now);
    this.#socket.disconnect();
  }

  #stop(code: string, message: string): void {
    if (this.#stopped) return;
    this.close();
    this.#options.onState({ is: "stopped", code, message });
  }

  #again(afterMs?: number): void {
    if (this.#stopped || this.#timer !== null) return;
    this.#options.onState({ is: "away" });
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures++);
    this.#timer = setTimeout(this.#now, Math.max(afterMs ?? 0, longest * (0.5 + Math.random() / 2)));
  }

  /** Without waiting any longer. */
  readonly #now = (): void => {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (!this.#stopped && !this.#socket.connected) this.#socket.disconnect().connect();
  };
}

interface Farewell {
  code: string;
  message: string;
  reconnect: boolean;
  afterMs?: number;
}

interface Rejection {
  code: string;
  message: string;
  retry: boolean;
  retryAfterMs: number;
}
