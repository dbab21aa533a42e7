/** What the bench posts and what its members receive: one size of event for every scenario and baseline. */
import { createHmac } from "node:crypto";

/** 200 characters of a comment, about what a forum puts into an excerpt. */
const EXCERPT =
  "The draft was saved on the server but the editor still shows the old text after a reload, so I opened a second tab and compared " +
  "both: the newer one has the change, the older one keeps asking to resolve.";

/** A repeatable source of random numbers in [0, 1): mulberry32. */
export function randomSource(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The name of the nth member. */
export const memberName = (n) => `member-${n}`;

/** Picks `count` different members of `members`, uniformly. */
function pick(random, members, count) {
  const chosen = new Set();
  while (chosen.size < count) chosen.add(Math.floor(random() * members));
  return chosen;
}

/**
 * Makes `(n) => JSON text` of the nth domain event: a comment that mentions `recipients` of the members, or those whose numbers
 * `choose(random)` gives. Its author, who also started the thread, is none of them, so that exactly the mentioned are told.
 */
export function eventMaker({ members, recipients, seed, prefix, choose = (random) => pick(random, members, recipients) }) {
  const random = randomSource(seed);
  return (n) => {
    const thread = n % 500;
    const mentions = [];
    for (const member of choose(random)) mentions.push(`"${memberName(member)}"`);
    return (
      `{"id":"${prefix}-${n}","type":"comment.created","at":"${new Date().toISOString()}","actor":{"id":"author-${thread}","name":"Author ` +
      `${thread}"},"thread":{"id":"${thread}","title":"Topic ${thread} about drafts and editors","url":"https://forum.example/t/${thread}",` +
      `"author":"author-${thread}","category":"7","tags":[]},"comment":{"id":"${prefix}-${n}","url":"https://forum.example/t/${thread}/${n}",` +
      `"excerpt":"${EXCERPT}","mentions":[${mentions.join(",")}],"quotes":[]}}`
    );
  };
}

/** The object that a member receives for such an event, for the baseline that only emits. */
export function samplePayload() {
  const now = new Date().toISOString();
  return {
    stream: "inbox",
    epoch: "01K0000000000000000000",
    entries: [
      {
        seq: 1234,
        at: now,
        kind: "notification",
        unread: 1234,
        data: {
          id: "01K00000000000000000000000",
          seq: 1234,
          reason: "mention",
          type: "comment",
          actor: { id: "author-123", name: "Author 123" },
          thread: { id: "123", title: "Topic 123 about drafts and editors", url: "https://forum.example/t/123" },
          comment: { id: "bench-12345", url: "https://forum.example/t/123/12345" },
          text: EXCERPT,
          url: "https://forum.example/t/123/12345",
          createdAt: now,
          readAt: null,
          archivedAt: null,
        },
      },
    ],
  };
}

const ANNOUNCED = {
  title: "Maintenance on Sunday morning",
  text: EXCERPT,
  url: "https://forum.example/t/812",
  level: "warning",
};

/** The body of `POST /v1/announcements`; `more` are further fields. */
export const announcementBody = (more = {}) => JSON.stringify({ ...ANNOUNCED, ...more });

/** What a member receives for it as the entry `seq`, to the byte, for the baseline that only emits. */
export function samplePayloadOfAnnouncement(seq) {
  const now = new Date().toISOString();
  const data = { id: "a-0123456789ab", ...ANNOUNCED, dismissible: true, mandatory: false, createdAt: now, by: "server" };
  return { stream: "announcements", epoch: "0123456789ab", entries: [{ seq, at: now, kind: "announcement", data }] };
}

const base64url = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A member's token: HS256, valid for an hour. */
export function memberToken(user, secret) {
  const body = `${base64url({ alg: "HS256", typ: "JWT" })}.${base64url({ sub: user, exp: Math.floor(Date.now() / 1000) + 3600 })}`;
  return `${body}.${createHmac("sha256", secret).update(body).digest("base64url")}`;
}
