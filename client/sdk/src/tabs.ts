import { isVisible, type Locks, listen, platform } from "./platform.js";

/** For how long nobody else may take over from a tab that has just been taken over from, so that the news reaches all. Milliseconds. */
const TAKE_OVER_MS = 1_000;

export interface Tabs {
  /** Whether this is the tab that shows toasts and plays sounds. Without Web Locks (Node, React Native, http:) each one is. */
  isSpeaker(): boolean;
  /** Tells the others something. */
  say(word: object): void;
  /** Tells by `onGone` when a tab is no more; at once where nobody can say. */
  watch(tab: string): void;
  close(): void;
}

/**
 * This member's other tabs in the same browser. Where there is no page there are none.
 * @param name the same for all tabs of one member at one service
 * @param id this tab's own
 */
export function openTabs(name: string, id: string, onWord: (word: object) => void, onGone: (tab: string) => void): Tabs {
  const { document, BroadcastChannel, navigator } = platform;
  const locks: Locks | undefined = document && navigator?.locks;
  // Without locks nobody knows which tabs are alive: then each is for itself.
  const channel = locks && BroadcastChannel && new BroadcastChannel(name);
  const watched = new Set([id]);
  let isSpeaker = locks === undefined;
  let close = (): void => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  let isClosed = false;
  let isWaiting = false;

  function hold(lock: string, steal: boolean, whileHeld: () => Promise<void>, onStolen?: () => void): void {
    // Who waits for a lock when this is closed lets go of it as soon as it comes.
    locks?.request(`${name}:${lock}`, { steal }, () => (isClosed ? closed : whileHeld())).catch(() => onStolen?.());
  }

  /** Waits to be the speaker, or takes it from whoever is. */
  function speak(steal: boolean): void {
    if (isClosed || (isWaiting && !steal)) return;
    isWaiting ||= !steal;
    const begin = (): Promise<void> => {
      isWaiting &&= steal;
      isSpeaker = true;
      return closed;
    };
    hold("speaker", steal, begin, () => {
      // Taken away; or, where it never was there, locks do not work here.
      isSpeaker = !isSpeaker;
      if (!isSpeaker) speak(false);
    });
  }

  if (channel) channel.onmessage = ({ data }) => onWord(data);
  hold(id, false, () => closed);
  speak(isVisible());
  // Who is looked at speaks: a toast in a hidden tab is seen by nobody.
  const unlisten = listen(document, ["visibilitychange"], () => isVisible() && !isSpeaker && speak(true));

  return {
    isSpeaker: () => isSpeaker,
    say: (word) => channel?.postMessage(word),
    watch(tab) {
      if (watched.has(tab)) return;
      watched.add(tab);
      const gone = (): void => {
        // Something that it has said may still be on its way.
        watched.delete(tab);
        onGone(tab);
      };
      if (locks === undefined) gone();
      hold(tab, false, () => {
        gone();
        return new Promise((resolve) => setTimeout(resolve, TAKE_OVER_MS));
      });
    },
    close() {
      isClosed = true;
      unlisten();
      channel?.close();
      close();
    },
  };
}
