import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type Service, startService } from "../support/service.js";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.stop());

describe("the files that the service has for pages", () => {
  it.each([
    ["belfry.js", "text/javascript"],
    ["belfry-bell.js", "text/javascript"],
    ["belfry-sw.js", "text/javascript"],
    ["belfry-push.js", "text/javascript"],
    ["console.js", "text/javascript"],
    ["console.css", "text/css"],
    ["console.svg", "image/svg+xml"],
    ["demo.js", "text/javascript"],
    ["demo.css", "text/css"],
    ["demo-member.js", "text/javascript"],
    ["demo-member.css", "text/css"],
  ])("are built, and there for any page: %s", async (file, type) => {
    const response = await fetch(`${service.url}/client/${file}`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toContain(type);
    expect(response.headers.get("access-control-allow-origin")).toBe("*");
    expect((await response.text()).length).toBeGreaterThan(100);
  });

  it("are not the files beside them", async () => {
    for (const path of ["", "/", "/../package.json", "/..%2f..%2fpackage.json", "/main.js"]) {
      expect((await fetch(`${service.url}/client${path}`)).status).toBe(404);
    }
  });
});
