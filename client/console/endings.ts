import type { en } from "./words/en.js";

/** Why somebody who was signed in, or tried to be, is not: what is said of it, in the language that is chosen when it shows. */
export interface Ending {
  title: keyof typeof en | `error.${string}`;
  texts: Array<keyof typeof en>;
  /** Whose token it is, where that is said. */
  user?: string;
  /** What the service said, in English. */
  detail: string | null;
}

/** What is known besides the service's own answer. */
export interface Circumstances {
  /** Whose token it is. */
  user: string;
  /** The token is good, and is refused for the roles that it does not have. */
  lacksRole: boolean;
  /** This token was let in before. */
  wasIn: boolean;
  /** Something is written and not sent yet. */
  isWriting: boolean;
}

/** What is said of a refusal that is final, by the protocol's `code`. The service's own words are always a part of it. */
export function endingOf(code: string, message: string, { user, lacksRole, wasIn, isWriting }: Circumstances): Ending {
  const detail = message === "" ? null : message;
  if (code === "token_expired") {
    return { title: "sign.expired", texts: isWriting ? ["sign.expiredText", "sign.kept"] : ["sign.expiredText"], detail };
  }
  if (lacksRole) return { title: "sign.notModerator", texts: ["sign.notModeratorText"], user, detail };
  if (code === "banned") return { title: "sign.banned", texts: [], detail };
  return { title: wasIn && code !== "unauthorized" ? "sign.stopped" : "sign.wrong", texts: [], detail };
}
