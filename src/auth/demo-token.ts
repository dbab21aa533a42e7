import { SignJWT } from "jose";

/**
 * A token for the demo's sign-in (HS256).
 * @param seconds how long it is valid.
 * @param claims the `iss` and `aud` that the service's configuration asks for, if it does, and the member's roles.
 */
export function mintDemoToken(
  secret: Uint8Array,
  user: string,
  seconds: number,
  name?: string,
  claims: { issuer?: string | null; audience?: string | null; roles?: readonly string[] } = {},
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const { roles = [] } = claims;
  const token = new SignJWT({ ...(name !== undefined && { name }), ...(roles.length > 0 && { roles: [...roles] }) })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(user)
    .setIssuedAt(now)
    .setExpirationTime(now + seconds);
  if (claims.issuer) token.setIssuer(claims.issuer);
  if (claims.audience) token.setAudience(claims.audience);
  return token.sign(secret);
}
