import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { connectBy } from "../../../client/sdk/src/connect.js";
import type { Belfry, ConnectOptions, Notification } from "../../../client/sdk/src/index.js";
import { MemoryStorage } from "../../support/sdk.js";
import { ServiceModel } from "../../support/sdk-model.js";
import { Wire } from "../../support/sdk-wire.js";

/** A store on a model of the service, whose member has what is given. */
function open(items: Array<Partial<Notification>>, more: Partial<ConnectOptions> = {}) {
  const model = new ServiceModel();
  for (const item of items) {
    model.come();
    const [id, kept] = [...model.items].at(-1) ?? [];
    if (id !== undefined && kept !== undefined) kept.item = { ...kept.item, ...item };
  }
  const wire = new Wire(model);
  const belfry = connectBy(wire.io as never, { url: "http://a.test", token: () => "x", user: "ada", storage: null, ...more });
  const calm = async (ms = 500): Promise<void> => {
    for (let i = 0; i < 10; i++) {
      wire.deliver();
      await jest.advanceTimersByTimeAsync(ms / 10);
    }
  };
  return { model, wire, belfry, calm };
}

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

describe("a task that has ended", () => {
  it("is the same reference until something new is told of it", async () => {
    const { model, belfry, calm } = open([
      { type: "task", data: { task: "import", state: "completed" }, actor: { id: "system", name: "Import" } },
    ]);
    await calm();
    const ended = belfry.task("import");
    expect(ended).toMatchObject({ task: "import", state: "completed", title: "Import" });
    expect(belfry.task("import")).toBe(ended);
    model.come();
    await calm();
    expect(belfry.task("import")).toBe(ended);
    belfry.close();
  });

  it("is not what anybody calls a task without saying which", async () => {
    const { belfry, calm } = open([{ type: "task" }, { type: "task", data: null }, { type: "task", data: {} }]);
    await calm();
    expect(belfry.status).toMatchObject({ is: "online", synced: true });
    expect(belfry.notifications).toHaveLength(3);
    expect([belfry.task("import"), belfry.tasks]).toEqual([null, []]);
    belfry.close();
  });
});

describe("a message", () => {
  it("has a key that makes a repeat safe, also where the page gives an empty one", async () => {
    const { model, belfry, calm } = open([]);
    const sent: unknown[] = [];
    const ask = model.ask.bind(model);
    model.ask = (event, payload) => {
      if (event === "send") sent.push(payload.key);
      return { ...ask(event, payload), ...(event === "send" && { id: "m1" }) };
    };
    await calm();
    const done = [undefined, "mine"].map((key) => belfry.send({ to: "bob", text: "hello", key } as never));
    await calm();
    expect(await Promise.all(done)).toEqual([{ id: "m1" }, { id: "m1" }]);
    expect(sent).toEqual([expect.stringMatching(/^.{10,64}$/), "mine"]);
    belfry.close();
  });
});

describe("a member who signs out", () => {
  const channels = new Set<{ name: string; onmessage: ((event: { data: unknown }) => void) | null }>();
  const before = new Map<string, PropertyDescriptor | undefined>();

  const held = new Map<string, Promise<void>>();

  /** What tabs have in common in a browser, as far as the SDK uses it. */
  const page = {
    document: { visibilityState: "hidden" },
    navigator: {
      locks: {
        // One after the other; nobody who is hidden takes one away.
        request(name: string, _options: object, whileHeld: () => Promise<void>): Promise<void> {
          const mine = (held.get(name) ?? Promise.resolve()).then(whileHeld);
          held.set(name, mine);
          return mine;
        },
      },
    },
    BroadcastChannel: class {
      onmessage: ((event: { data: unknown }) => void) | null = null;
      constructor(readonly name: string) {
        channels.add(this);
      }
      postMessage(data: unknown): void {
        for (const other of channels) {
          if (other !== this && other.name === this.name)
            void Promise.resolve().then(() => channels.has(other) && other.onmessage?.({ data }));
        }
      }
      close(): void {
        channels.delete(this);
      }
    },
  };

  beforeEach(() => {
    for (const [name, value] of Object.entries(page)) {
      before.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
      Object.defineProperty(globalThis, name, { value, configurable: true });
    }
  });
  afterEach(() => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, descriptor);
    }
    channels.clear();
    held.clear();
  });

  it("leaves nothing behind, whichever tabs are open", async () => {
    const storage = new MemoryStorage();
    const tabs = [
      open([{ text: "private" }], { storage }),
      open([{ text: "private" }], { storage }),
      open([{ text: "private" }], { storage }),
    ];
    const calm = async (): Promise<void> => {
      for (const tab of tabs) await tab.calm();
    };
    await calm();
    expect([...storage.texts.values()].join()).toContain("private");
    const [first, second] = tabs.map(({ belfry }) => belfry) as [Belfry, Belfry];
    tabs[1]?.wire.cut();
    const refused = expect(second.read("n1")).rejects.toMatchObject({ code: "closed" });
    first.close({ forget: true });
    for (const { model } of tabs) model.come();
    await calm();
    await refused;
    expect([...storage.texts]).toEqual([]);
    expect(tabs.map(({ belfry }) => belfry.status.code)).toEqual(["closed", "closed", "closed"]);
  });

  it("stays signed in where a tab is only closed", async () => {
    const storage = new MemoryStorage();
    const tabs = [open([{ text: "private" }], { storage }), open([], { storage })];
    for (const tab of tabs) await tab.calm();
    tabs[0]?.belfry.close();
    for (const tab of tabs) await tab.calm();
    expect(tabs[1]?.belfry.status).toMatchObject({ is: "online", synced: true });
    tabs[1]?.belfry.close();
  });
});
