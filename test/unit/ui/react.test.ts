import { describe, expect, it } from "@jest/globals";
import { createElement, type ReactElement } from "react";
import { renderToString } from "react-dom/server";
import { BelfryProvider, useBelfry } from "../../../client/react/src/context.js";
import { useAnnouncements, useNotifications, useStatus, useTask, useUnread } from "../../../client/react/src/hooks.js";
import { fakeBelfry, fakeItem } from "../../support/ui-fake.js";

// By a name that the compiler does not follow: it has types of the browser, which tests do not have.
const ELEMENTS = "../../../client/react/src/elements.js";
const { Bell }: { Bell: (props: Record<string, unknown>) => ReactElement } = await import(ELEMENTS);

/** What the hooks give, as text. */
function Slices(): ReactElement {
  const { items, more } = useNotifications();
  const slices = {
    client: useBelfry() !== null,
    items,
    more,
    unread: useUnread(),
    announcements: useAnnouncements(),
    task: useTask("t"),
    status: useStatus().is,
  };
  return createElement("output", null, JSON.stringify(slices));
}

const NOTHING = '{"client":false,"items":[],"more":false,"unread":0,"announcements":[],"task":null,"status":"connecting"}';

/** The text of the only element. */
function textOf(html: string): string {
  return html.replace(/<[^>]+>/g, "").replaceAll("&quot;", '"');
}

describe("the bell of React on a server", () => {
  it("has the attributes by their names in HTML", () => {
    const bell = createElement(Bell, { url: "https://notify.example", tokenUrl: "/notify-token", open: true, hide: "toasts" });
    expect(renderToString(bell)).toBe(
      '<belfry-bell url="https://notify.example" open="" hide="toasts" token-url="/notify-token"></belfry-bell>',
    );
  });
});

describe("the hooks on a server", () => {
  it("give empty slices, without a provider too", () => {
    expect(textOf(renderToString(createElement(Slices)))).toBe(NOTHING);
  });

  it("neither connect nor ask for a token", () => {
    const token = (): never => {
      throw new Error("a server has no member");
    };
    const page = createElement(BelfryProvider, { url: "https://notify.example", token }, createElement(Slices));
    expect(textOf(renderToString(page))).toBe(NOTHING);
  });

  it("give what the browser's first pass gives too, whatever a client knows by then", () => {
    const client = fakeBelfry({ items: [fakeItem(1, { readAt: null })], endless: true });
    const page = createElement(BelfryProvider, { client }, createElement(Slices));
    expect(textOf(renderToString(page))).toBe(NOTHING.replace('"client":false', '"client":true'));
  });
});
