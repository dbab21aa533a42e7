import { Members } from "../../../src/members/index.js";
import { Moderation } from "../../../src/moderation/index.js";
import type { Actor, AuditEntry } from "../../../src/moderation/types.js";
import type { Companion } from "../../../src/storage/types.js";
import { StreamLog } from "../../../src/stream/index.js";
import type { StreamStore } from "../../../src/stream/types.js";
import { type Embedded, openEmbedded } from "../../support/embedded.js";

export const SERVER: Actor = { by: "server", rank: "server", from: "203.0.113.9" };
export const ADMIN: Actor = { by: "root", rank: "admin", from: null };
export const MOD: Actor = { by: "mod", rank: "moderator", from: "198.51.100.7" };
export const NOBODY: Actor = { by: "ada", rank: null, from: "192.0.2.1" };

/** One node's rooms. */
export interface Node {
  log: StreamLog<Companion>;
  members: Members;
  moderation: Moderation;
}

/** Moderation on an embedded store, with the members ada, bruno, mod (moderator) and root (admin). `errors` is what `onError` was told. */
export interface Rig extends Node, Pick<Embedded, "stores" | "clock"> {
  errors: unknown[];
  /** Another node on the same store; `streams` where its store is to be another one. */
  node(streams?: StreamStore<Companion>): Node;
  /** The whole audit log, oldest first, without ids and times. */
  entries(): Promise<Array<Omit<AuditEntry, "id" | "at">>>;
  close(): Promise<void>;
}

export async function openRig(): Promise<Rig> {
  const { stores, clock, close } = await openEmbedded();
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const nodes: Node[] = [];
  const node = (streams: StreamStore<Companion> = stores.streams): Node => {
    const log = new StreamLog<Companion>({ store: streams, clock: () => clock.now });
    const members = new Members({ store: stores.members, wasTold: async () => false, clock: () => clock.now, onError });
    const moderation = new Moderation({ log, streams, members, clock: () => clock.now, onError });
    const made = { log, members, moderation };
    nodes.push(made);
    return made;
  };
  const first = node();
  for (const user of ["ada", "bruno"]) await first.members.arrive({ user, name: null, roles: [] });
  await first.members.arrive({ user: "mod", name: null, roles: ["moderator"] });
  await first.members.arrive({ user: "root", name: null, roles: ["gold", "admin"] });
  return {
    ...first,
    stores,
    clock,
    errors,
    node,
    async entries() {
      const all: Array<Omit<AuditEntry, "id" | "at">> = [];
      for await (const { id: _id, at: _at, ...entry } of first.moderation.export()) all.push(entry);
      return all;
    },
    async close() {
      for (const { log, members, moderation } of nodes) {
        await moderation.stop();
        await members.close();
        await log.close();
      }
      await close();
    },
  };
}

/** What the act is refused with; fails the test where it is not. */
export async function refusalOf(act: Promise<unknown>): Promise<{ code: string; message: string; retryAfterMs?: number }> {
  return act.then(
    () => {
      throw new Error("the act was not refused");
    },
    (error: unknown) => error as { code: string; message: string },
  );
}
