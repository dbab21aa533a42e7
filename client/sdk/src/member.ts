import type { Action } from "./actions.js";
import type { Keep } from "./keep.js";
import { actionsIn, fromText, isAction, toText } from "./kept.js";
import type { Known } from "./known.js";
import { isVisible, listen, platform } from "./platform.js";
import { type Queue, type QueueOptions, queueOf } from "./queue.js";
import { openTabs } from "./tabs.js";
import type { Cursor } from "./wire.js";

/** Between a change and its keeping: writing a state fifty times a second would stutter. Milliseconds. */
const KEEP_AFTER_MS = 250;

/** What tabs tell each other, each field by itself; a tab that has come says nothing but hello, the empty word. */
interface Word {
  /** Something was done there, or was answered. */
  readonly action?: Action;
  /** The id of an action that is over. */
  readonly over?: string;
  /** Arrivals up to here were told loudly. */
  readonly loud?: Cursor;
  /** The member has signed out: nothing of them may stay, and a tab that goes on would keep it anew. */
  readonly forget?: boolean;
}

export interface MemberOptions extends Omit<QueueOptions, "inbox" | "tell"> {
  user: string;
  /** Names the service. */
  service: string;
  keep: Keep;
  known: () => Known;
  /** What waits to be sent is another. */
  onChange: () => void;
  /** Closes all, this member too: they have signed out in another tab. */
  leave: (word: Word) => void;
}

/** What belongs to one member of one service on this device: what is kept of them, their queue, their other tabs. */
export interface Member {
  readonly user: string;
  readonly queue: Queue;
  /** Gives what is kept. */
  load(): Promise<Known>;
  /** Something is known that should be kept. */
  changed(): void;
  /** Whether this tab is the one to tell an arrival loudly. Says so to the others, so that no tab that speaks later tells it again. */
  speaksOf(seq: number): boolean;
  close(forget?: boolean): void;
}

export function openMember(options: MemberOptions): Member {
  const { user, service, tab, keep, known, onChange, leave } = options;
  const key = `belfry:${service}:${user}`;
  const queueKey = `${key}:queue`;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let loud: Cursor = { epoch: "", seq: 0 };

  const queue = queueOf({
    ...options,
    inbox: () => known().inbox,
    tell: (news) => {
      tabs.say(news);
      keepQueue();
      onChange();
    },
  });
  const tabs = openTabs(key, tab, hear, queue.adopt);
  tabs.say({});
  // A page that is hidden may be ended without another word.
  const unlisten = [
    listen(platform, ["pagehide"], keepNow),
    listen(platform.document, ["visibilitychange"], () => isVisible() || keepNow()),
  ];

  function keepNow(): void {
    clearTimeout(timer);
    if (timer !== undefined && known().inbox.cursor !== null) keep.set(key, toText(known()));
    timer = undefined;
  }

  /** All tabs keep the same: what any of them has to send, as far as this one knows. */
  function keepQueue(): void {
    const left = queue.actions.filter(({ done }) => done === undefined);
    keep.set(queueKey, left.length > 0 ? JSON.stringify(left) : null);
  }

  function take(action: Action): void {
    queue.take(action);
    tabs.watch(action.tab);
  }

  function hear(word: Word): void {
    if (isAction(word.action)) take(word.action);
    else if (word.over) queue.drop(word.over);
    else if (word.loud) loud = word.loud;
    else if (word.forget) leave(word);
    else {
      for (const action of queue.own()) tabs.say({ action });
      tabs.say({ loud });
    }
    onChange();
  }

  return {
    user,
    queue,
    async load() {
      for (const action of actionsIn(await keep.get(queueKey))) take(action);
      return fromText(await keep.get(key));
    },
    changed() {
      timer ??= setTimeout(keepNow, KEEP_AFTER_MS);
    },
    speaksOf(seq) {
      const { epoch = "" } = known().inbox.cursor ?? {};
      if (!tabs.isSpeaker() || (epoch === loud.epoch && seq <= loud.seq)) return false;
      loud = { epoch, seq };
      tabs.say({ loud });
      return true;
    },
    close(forget) {
      for (const end of unlisten) end();
      keepNow();
      if (forget) {
        tabs.say({ forget });
        keep.set(key, null);
        keep.set(queueKey, null);
      }
      queue.close();
      tabs.close();
    },
  };
}
