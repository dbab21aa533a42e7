import { afterEach, beforeEach, expect, it } from "@jest/globals";

// By a name that the compiler does not follow: it has types of the browser, which tests do not have.
const MODULE = "../../../client/ui/src/page/chime.js";
const { chime }: { chime: () => void } = await import(MODULE);

const before = new Map<string, PropertyDescriptor | undefined>();
let strokes = 0;

function give(name: string, value: unknown): void {
  if (!before.has(name)) before.set(name, Object.getOwnPropertyDescriptor(globalThis, name));
  Object.defineProperty(globalThis, name, { value, configurable: true });
}

beforeEach(() => {
  strokes = 0;
  give(
    "AudioContext",
    class {
      state = "suspended";
      currentTime = 0;
      resume = async (): Promise<void> => {};
    },
  );
  give(
    "OscillatorNode",
    class {
      connect = <To>(to: To): To => to;
      start = (): number => strokes++;
      stop = (): void => {};
    },
  );
  give(
    "GainNode",
    class {
      gain = { linearRampToValueAtTime: () => {}, exponentialRampToValueAtTime: () => {} };
      connect = <To>(to: To): To => to;
    },
  );
});
afterEach(() => {
  for (const [name, descriptor] of before) {
    if (descriptor === undefined) Reflect.deleteProperty(globalThis, name);
    else Object.defineProperty(globalThis, name, descriptor);
  }
});

it("leaves no chimes waiting for the first click, which would then sound all at once", () => {
  give("navigator", { userActivation: { hasBeenActive: false } });
  chime();
  expect(strokes).toBe(0);
  // The click is not too late for what comes after it, however soon.
  give("navigator", { userActivation: { hasBeenActive: true } });
  chime();
  expect(strokes).toBe(2);
  chime();
  expect(strokes).toBe(2);
});
