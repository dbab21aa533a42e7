import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { call, tokenOf } from "../support/call.js";
import { Member, until } from "../support/member.js";
import { notify } from "../support/notify.js";
import { PushService } from "../support/push-service.js";
import { endpointsOf, register, toldOf } from "../support/pushed.js";
import { type Service, startService } from "../support/service.js";

/** For how long a connected member may leave a notification unseen here. Seconds. */
const AFTER = 4;

const env = { PUSH_AFTER: String(AFTER), VAPID_SUBJECT: "mailto:admin@forum.example", LOG_LEVEL: "info" };

let pushService: PushService;
let service: Service;
const members: Member[] = [];

beforeAll(async () => {
  pushService = await PushService.start();
  service = await startService({ env: { ...env, ...pushService.env } });
});
afterEach(() => {
  for (const member of members.splice(0)) member.disconnect();
  expect(pushService.faults).toEqual([]);
});
afterAll(async () => {
  await service?.stop();
  await pushService.stop();
});

async function connect(user: string): Promise<Member> {
  const member = new Member(user, { url: service.url, secret: service.jwtSecret });
  members.push(member);
  return member.connect().ready();
}

async function tell(user: string, text = "hello"): Promise<{ id: string; at: number }> {
  const at = Date.now();
  const { notified } = await notify(service, [user], text);
  return { id: notified[0]?.id as string, at };
}

const publicKey = async () => (await call(service, "GET", "/v1/push", "nobody")).body.publicKey;

describe("a member who is not connected", () => {
  it("gets a push at once, encrypted for their device and signed by this service", async () => {
    const phone = pushService.phone();
    await register(service, "ada", phone);
    const { id } = await tell("ada", "Tuesday at half past seven");
    await until("the phone rings", () => phone.messages.length > 0);
    expect(phone.messages).toEqual([
      {
        payload: {
          v: 1,
          id,
          tag: id,
          user: "ada",
          title: "A notification for you",
          body: "Tuesday at half past seven",
          unread: 1,
          at: expect.stringMatching(/^\d{4}-.*Z$/),
          reason: "direct",
          type: "test",
          actor: { id: "system" },
        },
        headers: { ttl: expect.any(Number), urgency: "normal", topic: id },
        claims: { aud: pushService.origin, sub: "mailto:admin@forum.example", exp: expect.any(Number) },
        publicKey: await publicKey(),
        at: expect.any(Number),
      },
    ]);
    expect(phone.messages[0]?.headers.ttl).toBeGreaterThan(86_000);
  });

  it("gets it on each of their devices, and not on one that was signed out", async () => {
    const [phone, laptop, old] = [pushService.phone(), pushService.phone(), pushService.phone()];
    for (const device of [phone, laptop, old]) await register(service, "bea", device);
    const { endpoint } = old.subscription;
    const gone = await call(service, "DELETE", "/v1/me/push", tokenOf(service, "bea"), { endpoint });
    expect(gone.body).toEqual({ removed: true });
    const { id } = await tell("bea");
    await until("both ring", () => phone.messages.length + laptop.messages.length === 2);
    expect([toldOf(phone), toldOf(laptop), old.attempts]).toEqual([[id], [id], 0]);
  });

  it("who shares a browser with another one: whoever signed in last is told, and nobody else", async () => {
    const phone = pushService.phone();
    await register(service, "cy", phone);
    await register(service, "dan", phone);
    expect(await endpointsOf(service, "cy")).toEqual([]);
    await tell("cy");
    const { id } = await tell("dan");
    await until("the phone rings", () => phone.messages.length > 0);
    expect(toldOf(phone)).toEqual([id]);
  });

  it("gets nothing while banned", async () => {
    const [phone, other] = [pushService.phone(), pushService.phone()];
    await register(service, "eve", phone);
    await register(service, "fay", other);
    const ban = await call(service, "PUT", "/v1/members/eve/ban", service.apiKey, { why: "spam" });
    expect(ban.status).toBe(200);
    await tell("eve");
    await tell("fay");
    await until("the other one rings", () => other.messages.length > 0);
    expect(phone.attempts).toBe(0);
  });
});

describe("a connected member", () => {
  it("gets a push of what they have not seen in time, and of nothing that they have", async () => {
    const phone = pushService.phone();
    await register(service, "gus", phone);
    const member = await connect("gus");
    const seen = await tell("gus", "seen");
    await until("it is on the screen", () => member.items.has(seen.id));
    expect(await member.ask("seen", {})).toMatchObject({ ok: true });
    const read = await tell("gus", "read");
    expect(await member.ask("read", { ids: [read.id] })).toMatchObject({ ok: true });
    const left = await tell("gus", "left");
    await until("the phone rings", () => phone.messages.length > 0);
    expect(toldOf(phone)).toEqual([left.id]);
    expect((phone.messages[0]?.at as number) - left.at).toBeGreaterThanOrEqual(AFTER * 1_000 - 50);
  });
});

describe("a push service", () => {
  it("that knows the device no more has it removed", async () => {
    const phone = pushService.phone();
    phone.answer = 410;
    await register(service, "hal", phone);
    await tell("hal");
    await until("it is gone", async () => (await endpointsOf(service, "hal")).length === 0);
    expect(phone.attempts).toBe(1);
  });

  it("that cannot now is tried again, and a second notification comes after the first", async () => {
    const phone = pushService.phone();
    phone.answer = 503;
    phone.retryAfter = "1";
    await register(service, "ida", phone);
    const first = await tell("ida");
    await until("it was tried", () => phone.attempts === 1);
    const second = await tell("ida");
    phone.answer = 201;
    await until("both have come", () => phone.messages.length === 2);
    expect(toldOf(phone)).toEqual([first.id, second.id]);
  });

  it("that ends no connection keeps none that is not used", async () => {
    const phone = pushService.phone();
    await register(service, "lou", phone);
    await tell("lou");
    await until("the phone rings", () => phone.messages.length > 0);
    expect(await pushService.connections()).toBeGreaterThan(0);
    await until("the service has ended the connection", async () => (await pushService.connections()) === 0, 20_000);
  }, 40_000);

  it("that hangs keeps nobody else waiting", async () => {
    const [hanging, phone] = [pushService.phone(), pushService.phone()];
    hanging.answer = "hang";
    await register(service, "joe", hanging);
    await register(service, "kim", phone);
    await tell("joe");
    await until("it hangs", () => hanging.attempts === 1);
    const { id } = await tell("kim");
    await until("the other one rings", () => phone.messages.length > 0);
    expect(toldOf(phone)).toEqual([id]);
    expect(await (await fetch(`${service.url}/metrics`)).text()).toMatch(/^belfry_push_waiting [1-9]/m);
  });

  it("that stands in the operator's own network gets nothing, unless that is allowed", async () => {
    const strict = await startService({ env: { ...env, ...pushService.env, PUSH_PRIVATE: undefined } });
    try {
      const phone = pushService.phone();
      await register(strict, "leo", phone);
      await notify(strict, ["leo"], "hello");
      await until("it is given up", async () => (await endpointsOf(strict, "leo")).length === 0);
      expect(phone.attempts).toBe(0);
      expect(strict.output).toContain("has no public address");
    } finally {
      await strict.stop();
    }
  });
});

describe("a service that is killed", () => {
  it("pushes after its return what was stored before, with the same keys, and shows nothing twice", async () => {
    const [early, late] = [pushService.phone(), pushService.phone()];
    await register(service, "mia", early);
    await register(service, "mia", late);
    const key = await publicKey();
    const first = await tell("mia");
    await until("both know of the first", () => early.messages.length + late.messages.length === 2);
    late.answer = 503;
    const second = await tell("mia");
    await until("one has taken the second, the other not", () => early.messages.length === 2 && late.attempts === 2);
    await service.kill9();
    late.answer = 201;
    await service.start();
    const third = await tell("mia");
    await until("both know of everything", () => toldOf(late).includes(third.id) && toldOf(early).includes(third.id), 30_000);
    // What was taken just before may come once more, in the place of itself: a device shows one message of a tag.
    for (const phone of [early, late]) expect([...new Set(toldOf(phone))]).toEqual([first.id, second.id, third.id]);
    expect(await publicKey()).toBe(key);
  }, 60_000);
});

describe("what a page needs", () => {
  it("is served: the service worker, for the whole site, and the script beside it, for any origin", async () => {
    for (const [path, text] of [
      ["/client/belfry-sw.js", "push"],
      ["/client/belfry-push.js", "export"],
    ] as const) {
      const response = await fetch(`${service.url}${path}`);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"]);
      expect(response.headers.get("service-worker-allowed")).toBe("/");
      expect(response.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
      expect(await response.text()).toContain(text);
    }
  });

  it("is there without VAPID_SUBJECT, about which a warning at start tells the operator", async () => {
    const careless = await startService({ env: { ...env, VAPID_SUBJECT: undefined } });
    try {
      expect((await call(careless, "GET", "/v1/push", "nobody")).status).toBe(200);
      expect(careless.output).toContain("VAPID_SUBJECT: it is not set");
      expect(service.output).not.toContain("VAPID_SUBJECT");
    } finally {
      await careless.stop();
    }
  });

  it("is refused where it cannot be, and nothing is stored", async () => {
    const token = tokenOf(service, "nel");
    const { subscription } = pushService.phone();
    for (const body of [
      {},
      { ...subscription, endpoint: "http://push.example/x" },
      { ...subscription, keys: { p256dh: "x", auth: "y" } },
    ]) {
      const answer = await call(service, "PUT", "/v1/me/push", token, body);
      expect([answer.status, answer.body.code]).toEqual([400, "bad_request"]);
    }
    expect(await endpointsOf(service, "nel")).toEqual([]);
  });
});
