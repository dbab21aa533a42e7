// @ts-check
/**
 * What the bell says of a notification.
 *
 * @typedef {import("./inbox.js").Notification} Notification
 * @typedef {object} Sentence
 * @property {string} who Set apart at its start.
 * @property {string} says
 * @property {string} [where] The thread, set apart at its end.
 * @property {"done" | "failed"} [mark] In place of somebody's disc: how a task has ended.
 */

/** What happened, by the reason that the notification gives. The thread's title follows. */
const REASONS = new Map([
  ["mention", "mentioned you in"],
  ["reply", "replied to you in"],
  ["quote", "quoted you in"],
  ["comment", "commented on your thread"],
  ["watching", "wrote in"],
]);

/**
 * @param {Notification} item
 * @returns {Sentence}
 */
export function sentenceOf({ type, reason, actor, thread, data }) {
  if (type === "task") {
    const failed = data?.state === "failed";
    const who = actor?.name ?? "A task";
    return { who, says: failed ? "has failed" : "is complete", mark: failed ? "failed" : "done" };
  }
  // What another program sends may come from nobody in particular.
  const who = actor?.name ?? (actor === undefined || actor.id === "system" ? "Belfry" : actor.id);
  const says = REASONS.get(reason);
  if (says !== undefined) return { who, says, where: thread?.title ?? "a thread" };
  return { who, says: type === "message" ? "wrote to you:" : "has news for you" };
}

/**
 * The numbers in the bell's badge, in words.
 * @param {number} notifications
 * @param {number} announcements
 */
export function countsInWords(notifications, announcements) {
  const words = [notifications === 1 ? "1 unread notification" : `${notifications} unread notifications`];
  if (announcements > 0) words.push(announcements === 1 ? "1 announcement" : `${announcements} announcements`);
  return words.join(" and ");
}
