import { MAX_ROLES, role } from "../checked.js";

/** Who a verified token speaks for. */
export interface Identity {
  /** 1–128 characters. */
  user: string;
  /** All roles that the token names, each once, as far as `rolesOf` takes them. */
  roles: string[];
  /** What the token calls them, at most 300 characters, or null. */
  name: string | null;
  /** When the token stops being valid: milliseconds since the Unix epoch. */
  expiresAt: number;
}

/** The roles that give rights here, the higher first. */
const RANKS = ["admin", "moderator"] as const;

/** The highest right that these roles give beyond a member's own, or null. */
export function rankOf(roles: string[]): (typeof RANKS)[number] | null {
  return RANKS.find((rank) => roles.includes(rank)) ?? null;
}

/**
 * The roles of a token's list: each once, at most 32 of at most 64 characters; others are left out. They are not refused: an identity
 * provider lists roles of many applications, and its members must get in.
 */
export function rolesOf(names: string[]): string[] {
  const roles = [...new Set(names)].filter((name) => role.safeParse(name).success);
  if (roles.length <= MAX_ROLES) return roles;
  // Who may moderate must not depend on where in a long list the provider says so.
  const ranks = RANKS.filter((rank) => roles.includes(rank));
  return [...new Set([...ranks, ...roles])].slice(0, MAX_ROLES);
}
