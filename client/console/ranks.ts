/** Somebody as far as it matters who may act on whom. */
interface Ranked {
  user: string;
  roles: readonly string[];
}

/** Whether the service lets a bearer of these roles moderate. */
export function moderates({ roles }: Pick<Ranked, "roles">): boolean {
  return roles.includes("moderator") || roles.includes("admin");
}

/** Why the service would refuse any act of the one on the other; null where it may not. Source: the wire contract, "Moderation". */
export function whyNoAct(me: Ranked, member: Ranked): "self" | "admin" | null {
  if (me.user === member.user) return "self";
  return member.roles.includes("admin") && !me.roles.includes("admin") ? "admin" : null;
}
