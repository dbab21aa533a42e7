/** What one notification is about, why the member has it, and who did it. */
export interface Told {
  about: string;
  reason: string;
  actor: string;
}

/** A domain event as `POST /v1/events` takes it, as far as it is used here. */
export interface ForumEvent {
  id: string;
  type: "thread.created" | "comment.created" | "comment.updated" | "comment.deleted";
  actor?: { id: string; name: string };
  thread?: { id: string; title: string; author?: string; mentions?: string[]; quotes?: string[]; excerpt?: string };
  comment?: { id: string; parentAuthor?: string; mentions?: string[]; quotes?: string[]; excerpt?: string };
}

/** What a member wants before the first event. */
export type Wish = { is: "block"; user: string; other: string } | { is: "mute"; user: string; thread: string };

/**
 * Works out, from events alone and in their order, what each member's inbox must show at the end. Written from the rules of docs/PROTOCOL.md
 * ("Domain events"); imports nothing of `src`, so that an error there cannot be repeated here.
 */
export function expectedFromEvents(events: ForumEvent[], wishes: Wish[]): Map<string, Told[]> {
  const told: Array<Told & { user: string }> = [];
  const gone = new Set<string>();
  const wants = (user: string, actor: string, thread: string | undefined): boolean =>
    !wishes.some((wish) => wish.user === user && (wish.is === "block" ? wish.other === actor : wish.thread === thread));
  for (const { type, actor, thread, comment } of events) {
    const about = comment === undefined ? `thread ${thread?.id}` : `post ${comment.id}`;
    if (type === "comment.deleted") gone.add(about);
    if (actor === undefined) continue;
    const chosen = new Map<string, string>();
    const add = (user: string | undefined, reason: string): void => {
      if (user !== undefined && user !== actor.id && !chosen.has(user)) chosen.set(user, reason);
    };
    const text = comment ?? thread;
    for (const user of text?.mentions ?? []) add(user, "mention");
    if (type !== "comment.updated") {
      add(comment?.parentAuthor, "reply");
      for (const user of text?.quotes ?? []) add(user, "quote");
      if (comment !== undefined) add(thread?.author, "comment");
    }
    for (const [user, reason] of chosen) {
      const has = told.some((one) => one.user === user && one.about === about);
      if (!has && wants(user, actor.id, thread?.id)) told.push({ user, about, reason, actor: actor.id });
    }
  }
  const shown = new Map<string, Told[]>();
  for (const { user, ...row } of told) if (!gone.has(row.about)) shown.set(user, [...(shown.get(user) ?? []), row]);
  return shown;
}
