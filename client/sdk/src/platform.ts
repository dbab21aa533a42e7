/**
 * What a browser has, and Node and React Native have not, or in part. Looked for when it is used, never at import; typed here, so that the
 * SDK compiles without the DOM.
 */
interface Target {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

export interface Channel {
  postMessage(message: unknown): void;
  close(): void;
  onmessage: ((event: { data: object }) => void) | null;
}

interface LockOptions {
  steal?: boolean;
  signal?: unknown;
}

export interface Locks {
  request(name: string, options: LockOptions, whileHeld: () => Promise<void>): Promise<unknown>;
}

interface Platform extends Target {
  readonly document?: Target & { readonly visibilityState: string };
  readonly location?: { readonly origin: string };
  readonly localStorage?: { getItem(key: string): string | null; setItem(key: string, value: string): void; removeItem(key: string): void };
  readonly BroadcastChannel?: new (name: string) => Channel;
  readonly navigator?: { readonly locks?: Locks };
}

export const platform = globalThis as unknown as Platform;

/** Whether a member can see this page. Where there is no page, there is no tab that could be seen instead. */
export const isVisible = (): boolean => platform.document?.visibilityState !== "hidden";

/** Listens where there is somebody to listen to. Returns what ends it. */
export function listen(target: Target | undefined, types: readonly string[], listener: () => void): () => void {
  for (const type of types) target?.addEventListener?.(type, listener);
  return () => {
    for (const type of types) target?.removeEventListener?.(type, listener);
  };
}
