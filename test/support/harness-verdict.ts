import { checkAnswered, checkDeeds, checkDevice, checkStream, checkTold, type Findings } from "./harness-checks.js";
import type { Caller } from "./harness-client.js";
import type { Crowd } from "./harness-crowd.js";
import { type Staff, TOPICS } from "./harness-staff.js";
import type { StoreReader } from "./harness-store.js";
import { until } from "./member.js";
import type { Told } from "./seeds-expected.js";

/** By when presence is right, and by when screens of `/live` show what is. Milliseconds. */
const PRESENCE_MS = 30_000;
const SHOW_MS = 5_000;

/** A run that has been played. */
export interface Outcome {
  findings: Findings;
  staff: Staff;
  caller: Caller;
  crowd: Crowd;
  /** What members must have been told of the forum. */
  expected: Map<string, Told[][]>;
  /** One for each node. */
  readers: readonly StoreReader[];
}

/** Compares the store with the expectation, on all nodes, and every device with the store. What differs goes to the findings. */
export async function judge(outcome: Outcome): Promise<void> {
  const { findings, caller, crowd } = outcome;
  findings.none("a server's call", caller.faults);
  for (const { user, hand } of crowd.members) findings.none(`${user}'s hand`, hand.faults);
  const told = toldIn(outcome);
  const everybody = new Set([...told.keys(), ...outcome.staff.stored.map(({ user }) => user)]);
  await Promise.all(Array.from(everybody, (user) => judgeMember(outcome, user, told.get(user) ?? [])));
  judgeAnnouncements(outcome);
  for (const topic of TOPICS) await judgeTopic(outcome, topic);
  for (const [n, { link }] of crowd.boards.entries()) findings.none(`board ${n}`, link.faults);
  await judgePresence(outcome);
}

async function judgeMember({ findings, staff, crowd, readers }: Outcome, user: string, told: Told[][]): Promise<void> {
  const devices = crowd.devices.filter((device) => device.user === user);
  // Members without devices are read at one node.
  const asked = devices.length > 0 ? readers : readers.slice(0, 1);
  const all = await Promise.all(asked.map((reader) => reader.inbox(user)));
  const stored = all[0] as (typeof all)[number];
  for (const [node, other] of all.entries()) findings.same(`${user}: node ${node} and node 0`, other, stored);
  checkStream(findings, user, stored);
  checkTold(findings, user, stored, told);
  const answered = staff.stored.filter((one) => one.user === user);
  checkAnswered(findings, stored, answered);
  if (devices.length === 0) return;
  const announced = await (readers[0] as StoreReader).announcements(user);
  const hand = crowd.members.find((member) => member.user === user)?.hand;
  if (hand !== undefined) checkDeeds(findings, user, stored, announced, hand.deeds);
  for (const [n, device] of devices.entries()) checkDevice(findings, `${user}'s device ${n}`, device, stored, announced);
}

/** What each member must have been told, in lists whose order counts. */
function toldIn({ expected, staff, crowd }: Outcome): Map<string, Told[][]> {
  const told = new Map(Array.from(expected, ([user, lists]) => [user, [...lists]]));
  const add = (user: string, lists: Told[][]) => told.set(user, [...(told.get(user) ?? []), ...lists]);
  for (const [user, lists] of staff.expected) add(user, lists);
  for (const { user, hand } of crowd.members) {
    const lists = new Map<string, Told[]>();
    for (const { to, text } of hand.deeds.sent) {
      lists.set(to, [...(lists.get(to) ?? []), { about: `text ${text}`, reason: "direct", actor: user }]);
    }
    for (const [to, list] of lists) add(to, [list]);
  }
  return told;
}

/** Who was there from the beginning has got every announcement once, and shows those that are left. */
function judgeAnnouncements({ findings, staff, crowd }: Outcome): void {
  for (const { user, sitting } of crowd.members) {
    for (const { streams, screen } of sitting) {
      const kinds = new Map<string, string[]>();
      for (const { kind, data } of streams.announcements.applied.values()) {
        kinds.set(data.id as string, [...(kinds.get(data.id as string) ?? []), kind]);
      }
      for (const { id, title, isLive, kinds: expected } of staff.announcements) {
        findings.same(`${user}: entries of ${title}`, kinds.get(id), expected);
        findings.same(`${user}: ${title} is shown`, screen.announcements.get(id)?.title, isLive ? title : undefined);
      }
      findings.same(`${user}: announcements`, kinds.size, staff.announcements.length);
    }
  }
}

async function judgeTopic({ findings, staff, crowd, readers }: Outcome, topic: string): Promise<void> {
  const value = staff.values.get(topic);
  for (const [node, reader] of readers.entries()) findings.same(`${topic} at node ${node}`, await reader.topic(topic), value);
  for (const [n, board] of crowd.boards.entries()) {
    await until(
      () => `board ${n} shows ${JSON.stringify(value)}, not ${JSON.stringify(board.shows(topic))}`,
      () => JSON.stringify(board.shows(topic)) === JSON.stringify(value),
      SHOW_MS,
    );
  }
}

/** Every node and every screen knows how many are there. */
async function judgePresence({ crowd, readers }: Outcome): Promise<void> {
  const { devices, boards } = crowd;
  const users = new Set(devices.map(({ user }) => user)).size;
  const expected = JSON.stringify({ users, sessions: devices.length });
  for (const [node, reader] of readers.entries()) {
    let found = "";
    const isRight = async (): Promise<boolean> => {
      found = JSON.stringify(await reader.online());
      return found === expected;
    };
    await until(() => `node ${node} knows who is online: it says ${found}, there are ${expected}`, isRight, PRESENCE_MS);
  }
  for (const [n, board] of boards.entries()) {
    await until(
      () => `board ${n} shows ${users} online, not ${board.online}`,
      () => board.online === users,
      SHOW_MS,
    );
  }
}
