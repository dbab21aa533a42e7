import type { Desk, Page } from "./desk.js";
import { AnnouncementPage } from "./views/announcement.js";
import { Announcements } from "./views/announcements.js";
import { AuditPage } from "./views/audit.js";
import { Editor } from "./views/editor.js";
import { MemberPage } from "./views/member.js";
import { Members } from "./views/members.js";
import { Overview } from "./views/overview.js";
import { TracePage } from "./views/trace.js";

/** Where somebody is: `#/members/ada` is `["members", "ada"]`. */
export interface Place {
  parts: string[];
  query: URLSearchParams;
}

export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { parts: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

/** The page of a place; the overview where there is no such place. */
export function pageOf({ parts: [section, id, verb], query }: Place, desk: Desk): { section: string; page: Page } {
  switch (section) {
    case "announcements":
      if (id === undefined) return { section, page: new Announcements(desk) };
      if (id === "new") return { section, page: new Editor(desk, null) };
      return { section, page: verb === "edit" ? new Editor(desk, id) : new AnnouncementPage(desk, id) };
    case "members":
      return { section, page: id === undefined ? new Members(desk) : new MemberPage(desk, id) };
    case "audit":
      return { section, page: new AuditPage(desk, query.get("target") ?? "") };
    case "trace":
      return { section, page: new TracePage(desk, query.get("user") ?? "", query.get("event") ?? "") };
    default:
      return { section: "overview", page: new Overview(desk) };
  }
}

/** A part that was typed by hand may not be what an encoder writes. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
