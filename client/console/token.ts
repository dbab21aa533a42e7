/** What a token says of its bearer. It is not verified here: the service does that, and this is for what is shown. */
export interface Claims {
  user: string;
  name: string | null;
  roles: string[];
  /** When it expires, milliseconds since the Unix epoch; null where it does not say. */
  expiresAt: number | null;
}

const KEY = "belfry.console.token";

/** The claims of a JWT, or null where the text is none. */
export function claimsOf(token: string): Claims | null {
  const parts = token.split(".");
  if (parts.length !== 3) return null;
  try {
    const bytes = Uint8Array.from(atob((parts[1] ?? "").replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const { sub, name, roles, exp } = Object(claims) as Record<string, unknown>;
    if (typeof sub !== "string") return null;
    return {
      user: sub,
      name: typeof name === "string" ? name : null,
      roles: Array.isArray(roles) ? roles.filter((role) => typeof role === "string") : [],
      expiresAt: typeof exp === "number" ? exp * 1000 : null,
    };
  } catch {
    return null;
  }
}

/** The token of this tab. It is kept until the tab is closed, and nowhere else; where storage is forbidden, until the page is left. */
export const keptToken = {
  get(): string | null {
    try {
      return sessionStorage.getItem(KEY);
    } catch {
      return null;
    }
  },
  set(token: string | null): void {
    try {
      if (token === null) sessionStorage.removeItem(KEY);
      else sessionStorage.setItem(KEY, token);
    } catch {
      // Then it is asked for again after a reload.
    }
  },
};
