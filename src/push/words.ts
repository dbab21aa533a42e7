/** What a push says of a notification, in English. A service worker may say it in another language: the message has the fields as well. */

export interface Told {
  reason: string;
  type: string;
  /** What the actor is called; null where nobody is named. */
  actor: string | null;
  /** The thread's title, or null. */
  thread: string | null;
}

const SOMEBODY = "Somebody";

const TITLES: Record<string, (who: string, where: string | null) => string> = {
  mention: (who) => `${who} mentioned you`,
  reply: (who) => `${who} replied to you`,
  quote: (who) => `${who} quoted you`,
  comment: (who, where) => `${who} wrote in your thread${where === null ? "" : ` “${where}”`}`,
  watching: (who, where) => `${who} wrote in ${where === null ? "a thread that you watch" : `“${where}”`}`,
};

/** The title of the message that a device shows. */
export function titleOf({ reason, type, actor, thread }: Told): string {
  const words = Object.hasOwn(TITLES, reason) ? TITLES[reason] : undefined;
  if (words !== undefined) return words(actor ?? SOMEBODY, thread);
  if (type === "message") return `${actor ?? SOMEBODY} sent you a message`;
  return actor ?? "A notification for you";
}
