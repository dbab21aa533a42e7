import type { Announcement } from "../../../src/announcements/types.js";
import { BelfryError } from "../../../src/errors.js";
import type { createApp } from "../../../src/http/index.js";
import type { MemberRecord, Sanction } from "../../../src/members/types.js";
import type { Actor, AuditEntry } from "../../../src/moderation/types.js";

type AppOptions = Parameters<typeof createApp>[0];

/** What tests set, and every fake looks at. */
export interface RoomsState {
  failure: Error | null;
  /** The bans of members who come. */
  bans: Map<string, Sanction>;
  /** What the next members asked for are, besides their name. */
  member: Partial<MemberRecord>;
  /** Whether an announcement is answered as a repeat. */
  repeat: boolean;
  auditLog: AuditEntry[];
  /** The rows of a report. An error is thrown when its turn comes. */
  reportRows: Array<{ user: string; reachedAt: string | null; seenAt: string | null; acknowledgedAt: string | null } | Error>;
}

type Note = <T>(answer: T, method: string, ...args: unknown[]) => Promise<T>;

export const ANNOUNCEMENT: Announcement = {
  id: "a-1",
  title: "Maintenance",
  text: "On Sunday.",
  level: "info",
  dismissible: true,
  mandatory: false,
  createdAt: "2024-02-13T16:04:47.430Z",
  by: "server",
};

const DEVICE = { id: "d-1", endpoint: "https://push.example/d-1", createdAt: "2024-02-13T16:04:47.430Z" };

/** The rooms behind the routes: each writes down what it is asked (`note`) and answers what a room would answer. */
export function fakeRooms(
  state: RoomsState,
  note: Note,
): Pick<
  AppOptions,
  | "members"
  | "announcements"
  | "moderation"
  | "messages"
  | "preferences"
  | "tasks"
  | "topics"
  | "presence"
  | "roll"
  | "activity"
  | "push"
  | "community"
> {
  const memberOf = (user: string, roles: string[]): MemberRecord => ({
    user,
    name: null,
    roles,
    joinedAt: Date.UTC(2024, 0, 1),
    mute: null,
    ban: state.bans.get(user) ?? null,
    ...state.member,
  });
  const act = (verb: string) => (actor: Actor, user: string, payload: unknown) =>
    note({ user, by: actor.by, at: "2024-02-13T16:04:47.430Z" }, verb, actor, user, payload);
  return {
    members: {
      // Every call of a member comes here; what tests look at are the others.
      arrive: async ({ user, roles, name }) => ({ ...memberOf(user, roles), name }),
      require: (user) => note(memberOf(user, ["writer"]), "require", user),
      register: (registration) => note({ ...memberOf(registration.user, []), ...registration }, "register", registration),
    },
    announcements: {
      async announce(by, payload, record) {
        await record("a-1");
        return note({ announcement: ANNOUNCEMENT, created: !state.repeat }, "announce", by, payload);
      },
      async edit(id, by, payload, record) {
        await record(id);
        return note({ ...ANNOUNCEMENT, id }, "edit", id, by, payload);
      },
      async rescind(id, by, payload, record) {
        await record(id, "why");
        return note({ ...ANNOUNCEMENT, id, why: "why" }, "rescind", id, by, payload);
      },
      get: (id) => note({ ...ANNOUNCEMENT, id, state: "live" }, "get", id),
      list: (query) => note({ items: [ANNOUNCEMENT], more: false }, "list", query),
      report: (id, query) => note({ audience: 3, reached: 2, seen: 1, acknowledged: 0, members: [], more: false }, "report", id, query),
      async *reportRows(id) {
        await note(null, "reportRows", id);
        for (const row of state.reportRows) {
          if (row instanceof Error) throw row;
          yield row;
        }
      },
      view: (member) =>
        note(
          {
            snapshot: async () => ({ epoch: "e", seq: 12, unread: 1, items: [ANNOUNCEMENT], more: false }),
            passed: (seq: number) => void note(null, "passed", seq),
          },
          "view",
          member,
        ),
      settle: (user, verb, id, member) => note({ seq: 4, unread: 2 }, "settle", user, verb, id, member),
      seen: async (user) => {
        await note(null, "seen", user);
      },
    },
    moderation: {
      mute: act("mute"),
      unmute: act("unmute"),
      ban: act("ban"),
      unban: act("unban"),
      kick: act("kick"),
      async guard(actor, what, work) {
        await note(null, "guard", actor, what);
        if (actor.rank === null) throw new BelfryError("forbidden", "Only moderators may do that.");
        return work(async (target, why) => {
          await note(null, "record", target, why);
        });
      },
      audit: (query) => note({ items: state.auditLog, more: false }, "audit", query),
      async *export() {
        await note(null, "export");
        yield* state.auditLog;
      },
    },
    messages: { send: (sender, payload) => note({ id: "m-1" }, "send", sender, payload) },
    preferences: {
      setLevel: (user, payload) => note({ scope: "all", level: "muted", until: null }, "setLevel", user, payload),
      setBlock: (user, other, blocked) => note({ user: other, blocked }, "setBlock", user, other, blocked),
      levelsOf: (user) => note({ items: [] }, "levelsOf", user),
      blocksOf: (user) => note({ items: [{ user: "9" }] }, "blocksOf", user),
    },
    push: {
      publicKey: "public-key",
      subscribe: (user, payload, userAgent) => note(DEVICE, "subscribe", user, payload, userAgent),
      unsubscribe: (user, payload) => note({ removed: true }, "unsubscribe", user, payload),
      list: (user) => note({ items: [DEVICE] }, "devices", user),
    },
    tasks: { report: (id, body) => note({ task: id, state: "running" }, "report", id, body) },
    topics: {
      write: (name, body) =>
        note({ topic: name, seq: 3, at: "2024-02-13T16:04:47.430Z", data: { é: 1 }, access: "members" }, "write", name, body),
      read: (name) => note({ topic: name, seq: 3, at: "2024-02-13T16:04:47.430Z", data: null, access: ["staff"] }, "read", name),
    },
    presence: { users: 2, sessions: 5 },
    roll: { page: (query) => note({ items: [{ user: "31", sessions: 2 }], more: false }, "roll", query) },
    activity: { lastHour: () => note([{ at: "2024-02-13T16:04:00.000Z", events: 3 }], "lastHour") },
    community: { trace: (user, event) => note({ user, event, told: false, steps: ["They are the author."] }, "trace", user, event) },
  };
}
