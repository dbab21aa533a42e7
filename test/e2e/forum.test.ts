import { afterEach, describe, expect, it } from "@jest/globals";
import { expectedForum, readForum } from "../support/expected-forum.js";
import { Audience, expectExactly, seeded, sendHook, sendUntilAccepted } from "../support/forum-run.js";
import { mongoUrl } from "../support/mongo-url.js";
import { type Service, startService } from "../support/service.js";

const STORES = [
  { store: "SQLite", env: () => ({}) },
  { store: "MongoDB", env: () => ({ MONGODB_URL: mongoUrl("forum") }) },
];

/** Posts of the forum that are sent while the service is killed. At about every 100th it is. */
const KILLED_POSTS = 700;

let service: Service;
let audience: Audience;

afterEach(async () => {
  audience.leave();
  await service.stop();
});

describe.each(STORES)("the forum's posts through the Discourse hook, on $store", ({ env }) => {
  it("tell exactly the members concerned, whether they stay, come and go, or come at the end", async () => {
    const bodies = await readForum();
    const random = seeded(1);
    service = await startService({ env: env() });
    audience = new Audience(bodies, service);
    await audience.arrive();
    const rows = expectedForum(bodies);
    expect(rows).toHaveLength(2_040);
    for (const [index, body] of bodies.entries()) {
      const { status, answer } = await sendHook(service, body, "post_created", String(index + 1));
      expect(status).toBe(202);
      const told = answer.notified.map(({ user, reason }) => ({ user, reason }));
      const { id } = (body as { post: { id: number } }).post;
      const expected = rows.filter((row) => row.post === id).map(({ user, reason }) => ({ user, reason }));
      expect(told).toEqual(expected);
      if (random() < 0.2) audience.toggle(random);
    }
    await audience.assemble(service);
    await expectExactly(bodies, audience, service, 1);
  }, 180_000);

  it("stay exact through kill -9 of the service at random moments, with unanswered posts sent again", async () => {
    const bodies = (await readForum()).slice(0, KILLED_POSTS);
    const seed = Math.floor(Math.random() * 1e9);
    const random = seeded(seed);
    service = await startService({ env: env() });
    audience = new Audience(bodies, service);
    await audience.arrive();
    let killing: Promise<void> | null = null;
    for (const [index, body] of bodies.entries()) {
      if (killing === null && random() < 0.012) {
        // The kill comes while this post, or one of the next, is under way.
        const pause = random() * 6;
        killing = new Promise((resolve) => setTimeout(resolve, pause)).then(async () => {
          await service.kill9();
          await service.start();
          killing = null;
        });
      }
      await sendUntilAccepted(service, body, String(index + 1));
      if (random() < 0.1) audience.toggle(random);
    }
    await (killing as Promise<void> | null);
    await audience.assemble(service);
    await expectExactly(bodies, audience, service, seed);
  }, 240_000);
});
