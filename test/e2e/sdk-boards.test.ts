import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { boardsOf } from "../../client/sdk/src/boards.js";
import type { BoardValue } from "../../client/sdk/src/index.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { tokenFor, until } from "../support/member.js";
import { Stores } from "../support/sdk.js";
import { type Service, startService } from "../support/service.js";

let service: Service;
const stores = new Stores();

beforeAll(async () => {
  service = await startService();
});
afterEach(() => stores.close());
afterAll(() => service.stop());

async function write(topic: string, data: unknown, access: unknown = "members"): Promise<void> {
  const response = await fetch(`${service.url}/v1/topics/${topic}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${service.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ data, access }),
  });
  expect(response.status).toBe(200);
}

describe("live boards of the SDK", () => {
  it("give the latest value, then newer ones, and the latest again after a cut", async () => {
    const proxy = await FaultProxy.start(Number(new URL(service.url).port));
    await write("scores", 1);
    const store = stores.open(service, "board-1", { port: proxy.port });
    const boards = boardsOf(store.belfry);
    const values: unknown[] = [];
    const users: Array<number | null> = [];
    const leave = boards.join(["scores"], ({ data }) => values.push(data));
    const end = boards.onOnline((now) => users.push(now));
    await until("the first value", () => values.length === 1);
    await write("scores", 2);
    await until("the second value", () => values.length === 2);
    await until("who is online", () => users.at(-1) === 1);
    proxy.refuse();
    await store.is("offline");
    expect(users.at(-1)).toBeNull();
    await write("scores", 3);
    proxy.heal();
    await until("the third value", () => values.length === 3);
    expect(values).toEqual([1, 2, 3]);
    // A second listener gets the latest too, and what the first has left does not reach it.
    const others: BoardValue[] = [];
    boards.join(["scores"], (value) => others.push(value));
    await until("the latest value", () => others.length === 1);
    leave();
    end();
    await write("scores", 4);
    await until("the fourth value", () => others.length === 2);
    expect(values).toEqual([1, 2, 3]);
    stores.close();
    await proxy.stop();
  });

  it("say so where a topic is not for this member", async () => {
    await write("staff", 1, ["moderator"]);
    const store = await stores.open(service, "board-2").synced();
    const refusals: string[] = [];
    boardsOf(store.belfry).join(
      ["staff"],
      () => {},
      ({ code }) => refusals.push(code),
    );
    await until("the refusal", () => refusals.length === 1);
    expect(refusals).toEqual(["forbidden"]);
  });

  it("go on when the member's token is renewed", async () => {
    await write("scores", 0);
    let asked = 0;
    const token = (): string => {
      asked++;
      return tokenFor(service.jwtSecret, { sub: "board-3", exp: Math.floor(Date.now() / 1000) + 12 });
    };
    const store = await stores.open(service, "board-3", { token }).synced();
    const values: unknown[] = [];
    boardsOf(store.belfry).join(["scores"], ({ data }) => values.push(data));
    const { since } = store.belfry.status;
    const end = Date.now() + 14_000;
    await until("the first token to have ended", () => Date.now() > end);
    await write("scores", "late");
    await until("the value", () => values.at(-1) === "late");
    expect(asked).toBeGreaterThan(1);
    expect(store.belfry.status).toMatchObject({ is: "online", since });
  });
});
