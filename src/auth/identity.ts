/** Rights beyond a member's own, as tokens name them. */
const ROLES = ["moderator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Who a verified token speaks for. */
export interface Identity {
  /** 1–128 characters. */
  user: string;
  /** Each at most once; roles that this service does not know are left out. */
  roles: Role[];
  /** When the token stops being valid: milliseconds since the Unix epoch. */
  expiresAt: number;
}

/** The known ones of a list of role names. */
export function knownRoles(names: string[]): Role[] {
  return ROLES.filter((role) => names.includes(role));
}
