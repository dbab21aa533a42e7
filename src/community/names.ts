/**
 * What begins the id and the key of a notification that is about no post. A forum's event, a server's key, a member's message and a task may
 * have the same name and are not the same.
 */
export type Namespace = "direct" | "message" | "task";

/**
 * What begins the stored name of an event that its forum gave a notification's name. Threat: an event `task:9`, which would occupy the name
 * of that task's end, so that its owner is never told.
 */
const ESCAPE = "escaped:";

const NOTIFICATIONS = ["direct:", "message:", "task:"] as const satisfies ReadonlyArray<`${Namespace}:`>;

/** The name under which a notification is stored, which is also the id in its answer. */
export function notificationName(namespace: Namespace, key: string): string {
  return `${namespace}:${key}`;
}

/** The name under which an event is stored, of its id or alias: the same, but where it could be taken for another's. */
export function eventName(own: string): string {
  // The escape itself too: otherwise an event could have the name that another one was given here.
  return isNotification(own) || own.startsWith(ESCAPE) ? `${ESCAPE}${own}` : own;
}

/** The id or alias of what is stored under the name, as its callers know it. */
export function ownName(stored: string): string {
  return stored.startsWith(ESCAPE) ? stored.slice(ESCAPE.length) : stored;
}

/** The names under which what a caller calls so may be stored; the first that is found is meant. */
export function namesOf(own: string): string[] {
  return isNotification(own) ? [own, eventName(own)] : [eventName(own)];
}

function isNotification(name: string): boolean {
  return NOTIFICATIONS.some((prefix) => name.startsWith(prefix));
}
