import { describe, expect, it } from "@jest/globals";
import { ConfigError } from "../../../src/config/index.js";
import { pushOf } from "../../../src/config/push.js";

describe("the settings of web push", () => {
  it("have the documented defaults", () => {
    expect(pushOf({}, [])).toEqual({ subject: "mailto:postmaster@belfry.invalid", afterMs: 60_000, allowPrivate: false });
  });

  it("turn it off", () => {
    expect(pushOf({ PUSH: "off" }, [])).toBeNull();
  });

  it("name the forum as the one to turn to, where it is known and nobody else is named", () => {
    expect(pushOf({}, ["*"])?.subject).toBe("mailto:postmaster@belfry.invalid");
    expect(pushOf({}, ["http://localhost:8080", "https://forum.example"])?.subject).toBe("https://forum.example");
    expect(pushOf({ VAPID_SUBJECT: " mailto:admin@forum.example " }, ["https://forum.example"])?.subject).toBe(
      "mailto:admin@forum.example",
    );
  });

  it("set the time that a connected member has", () => {
    expect(pushOf({ PUSH_AFTER: "5", PUSH_PRIVATE: "on" }, [])).toMatchObject({ afterMs: 5_000, allowPrivate: true });
  });

  it.each([
    [{ PUSH: "yes" }, /^PUSH: /],
    [{ PUSH_AFTER: "0" }, /^PUSH_AFTER: .*out of range/],
    [{ PUSH_AFTER: "1.5" }, /^PUSH_AFTER: /],
    [{ PUSH_PRIVATE: "true" }, /^PUSH_PRIVATE: /],
    [{ VAPID_SUBJECT: "admin@forum.example" }, /^VAPID_SUBJECT: .*mailto:/],
    [{ VAPID_SUBJECT: "mailto: <admin@forum.example>" }, /^VAPID_SUBJECT: /],
    [{ VAPID_SUBJECT: "http://forum.example" }, /^VAPID_SUBJECT: /],
    [{ PUSH: "off", PUSH_AFTER: "x" }, /^PUSH_AFTER: /],
  ])("are refused where they cannot be: %j", (settings, message) => {
    expect(() => pushOf(settings, [])).toThrow(ConfigError);
    expect(() => pushOf(settings, [])).toThrow(message);
  });
});
