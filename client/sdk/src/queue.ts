import { type Action, isShown } from "./actions.js";
import type { Inbox } from "./inbox.js";
import { type BelfryRefusal, refusal } from "./refusal.js";
import type { Entry } from "./wire.js";

/** Threat: a storage filled by a device that is offline for weeks. */
const MAX_QUEUE = 200;

/** The same request can succeed later. Source: docs/PROTOCOL.md, "Errors". `internal` may be this very action's fault: it is refused. */
const PASSING = ["offline", "rate_limited", "unavailable", "overloaded", "draining"];

/** Between two tries, where the service does not say. Milliseconds. */
const AGAIN_MS = 2_000;

export type Answer = { readonly [field: string]: unknown };

export interface QueueOptions {
  /** This tab's id. */
  tab: string;
  ask: (event: string, payload: object) => Promise<Answer>;
  /** The confirmed inbox; while it is not live, nothing is sent. */
  inbox: () => Inbox;
  /** Milliseconds since 1970 by the service's clock. */
  now: () => number;
  /** Something is new, answered, taken over or over: other tabs and the storage should know. */
  tell: (news: { action: Action } | { over: string }) => void;
  warn: (message: string) => void;
}

/** What the member has done and the service has not confirmed: sent in its order, one at a time, by the tab in which it was done. */
export interface Queue {
  /** To be laid over the confirmed state, in this order; also those of other tabs. */
  readonly actions: readonly Action[];
  /** Of this tab, and not answered yet. */
  own(): readonly Action[];
  /** Does something. Rejects with a BelfryRefusal; stays open while offline. Nobody has to catch it. */
  do(event: string, payload: Entry["data"], epoch?: string): Promise<Answer>;
  /** Takes in what another tab or an earlier visit has done, or news of it. */
  take(action: Action): void;
  /** An action is over. */
  drop(id: string): void;
  /** Lets go of what shows in the confirmed state. */
  settle(): void;
  /** A tab is no more: what it has not sent, this one sends. */
  adopt(gone: string): void;
  /** Sends what waits, as far as there is a session. */
  send(): Promise<void>;
  close(): void;
}

export function queueOf({ tab, ask, inbox, now, tell, warn }: QueueOptions): Queue {
  const waiting = new Map<string, { resolve: (answer: Answer) => void; reject: (refusal: BelfryRefusal) => void }>();
  let actions: readonly Action[] = [];
  let isSending = false;
  let isClosed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const own = (of = tab): readonly Action[] => actions.filter((action) => action.tab === of && action.done === undefined);

  function settle(): void {
    actions = actions.filter((action) => !isShown(action, inbox()));
  }

  function drop(id: string): void {
    actions = actions.filter((action) => action.id !== id);
  }

  function take(action: Action): void {
    const { id } = action;
    // In its place: what was done after it is laid over it.
    actions = actions.some((one) => one.id === id) ? actions.map((one) => (one.id === id ? action : one)) : [...actions, action];
    settle();
  }

  async function send(): Promise<void> {
    if (isSending) return;
    isSending = true;
    clearTimeout(timer);
    for (let next = own()[0]; next !== undefined && !isClosed && inbox().live; next = own()[0]) {
      const wait = await sendOne(next);
      if (wait > 0) {
        timer = setTimeout(send, wait);
        break;
      }
    }
    isSending = false;
  }

  /** @returns how long to wait before the next try, milliseconds; 0 where none is needed */
  async function sendOne(action: Action): Promise<number> {
    const { id, event, payload, epoch } = action;
    const epochNow = inbox().cursor?.epoch;
    let answer: Answer = {};
    let failure: BelfryRefusal | undefined;
    try {
      if (epoch !== undefined && epoch !== epochNow) throw SET_BACK;
      answer = await ask(event, payload);
    } catch (error) {
      failure = error as BelfryRefusal;
      // The next session sends it again: marks are harmless twice, and a message has its key.
      if (PASSING.includes(failure.code)) return failure.retryAfterMs ?? AGAIN_MS;
    }
    if (isClosed) return 0;
    const { seq } = answer;
    // Until its entry is here, which may be before the answer or after it.
    const done = typeof seq === "number" && epochNow !== undefined && { ...action, done: seq, epoch: epochNow };
    if (done) take(done);
    else drop(id);
    tell(done ? { action: done } : { over: id });
    const asked = waiting.get(id);
    waiting.delete(id);
    if (failure === undefined) asked?.resolve(answer);
    else if (asked) asked.reject(failure);
    else warn(`"${event}" of an earlier visit was refused: ${failure.message}`);
    return 0;
  }

  return {
    get actions() {
      return actions;
    },
    own,
    async do(event, payload, epoch) {
      if (isClosed) throw CLOSED;
      if (own().length >= MAX_QUEUE) throw FULL;
      const action = { id: newId(), tab, event, payload, at: new Date(now()).toISOString(), ...(epoch && { epoch }) };
      take(action);
      tell({ action });
      return new Promise((resolve, reject) => {
        waiting.set(action.id, { resolve, reject });
        void send();
      });
    },
    take,
    drop,
    settle,
    adopt(gone) {
      for (const action of own(gone)) {
        const adopted = { ...action, tab };
        take(adopted);
        tell({ action: adopted });
      }
      void send();
    },
    send,
    close() {
      isClosed = true;
      clearTimeout(timer);
      for (const { reject } of waiting.values()) reject(CLOSED);
    },
  };
}

const CLOSED = refusal("closed", "It was closed.");
const FULL = refusal("queue_full", "Too much waits to be sent.");
const SET_BACK = refusal("reset", "The service was set back.");

/** Not met twice by chance; nobody needs it to be secret. */
export function newId(): string {
  return `${Math.random()}${Math.random()}`;
}
