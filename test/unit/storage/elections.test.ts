import { describe, expect, it } from "@jest/globals";
import { mongo } from "mongoose";
import { BelfryError } from "../../../src/errors.js";
import { answered, outlast, writeFailure } from "../../../src/storage/mongo/errors.js";
import { OutcomeUnknown } from "../../../src/stream/types.js";

/** Long enough for a few attempts, whatever the machine does meanwhile. Milliseconds. */
const PATIENCE_MS = 5_000;

const noPrimary = () => new mongo.MongoServerError({ code: 10107, message: "not primary" });

/** Work that fails with these errors in turn, and then succeeds; and how often it was tried. */
function failing(...errors: unknown[]) {
  const tries = { count: 0 };
  const work = async (): Promise<string> => {
    tries.count++;
    if (errors.length === 0) return "done";
    throw errors.shift();
  };
  return { work, tries };
}

describe("work that waits for a primary", () => {
  it("is done again where there was none, where it could not be reached, and where nothing was stored for that", async () => {
    const unavailable = new BelfryError("unavailable", "Nothing was stored.", { cause: noPrimary() });
    const { work, tries } = failing(noPrimary(), new mongo.MongoNetworkError("cut"), unavailable);
    expect(await outlast(PATIENCE_MS, work)).toBe("done");
    expect(tries.count).toBe(4);
  });

  it.each([
    ["a write of which nobody knows", new OutcomeUnknown("sent", { cause: noPrimary() })],
    ["what the server refuses", new mongo.MongoServerError({ code: 121, message: "validation" })],
    ["a bad request", new BelfryError("bad_request", "no")],
    ["a fault of the program", new TypeError("x is not a function")],
  ])("is not done again after %s", async (_what, error) => {
    const { work, tries } = failing(error);
    await expect(outlast(PATIENCE_MS, work)).rejects.toBe(error);
    expect(tries.count).toBe(1);
  });

  it("is given up with the last error when the time is over", async () => {
    const errors = Array.from({ length: 1_000 }, noPrimary);
    const { work, tries } = failing(...errors);
    await expect(outlast(0, work)).rejects.toBe(errors[tries.count - 1]);
    expect(tries.count).toBeLessThan(3);
  });
});

describe("a call of which the driver never says anything", () => {
  it("ends with an error that leaves its outcome open", async () => {
    const silence = answered(new Promise(() => {}), 20);
    await expect(silence).rejects.toThrow("nothing for 20 ms");
    const error = await silence.catch((thrown: unknown) => thrown);
    expect(writeFailure(error, false)).toBeInstanceOf(OutcomeUnknown);
  });

  it("does not end one that answers in time, whatever it answers", async () => {
    expect(await answered(Promise.resolve("done"), 1_000)).toBe("done");
    await expect(answered(Promise.reject(new Error("no")), 1_000)).rejects.toThrow("no");
  });
});
