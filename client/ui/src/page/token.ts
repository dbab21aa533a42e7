/** Characters; a token is a few hundred. Threat: a wrong address that answers with a whole page. */
const MAX_TOKEN = 16_384;

/** With cookies, and never an answer of before: that token may have ended. */
const REQUEST = { credentials: "include", cache: "no-store", headers: { accept: "application/json, text/plain" } } as const;

/**
 * Gets a token from the forum, with the member's cookies: the answer is the token, as text or as JSON `{ "token": "…" }`.
 * @throws Error where there is none, which is tried again
 */
export async function fetchToken(url: string): Promise<string> {
  const response = await fetch(url, REQUEST);
  if (!response.ok) throw new Error(`The forum gives no token: ${url} answers ${response.status}.`);
  const text = (await response.text()).trim();
  const token = /^[{"]/.test(text) ? fromJson(text) : text;
  if (typeof token !== "string" || token === "" || token.length > MAX_TOKEN || /[\s<]/.test(token)) {
    throw new Error(`The forum gives no token: ${url} answers something else.`);
  }
  return token;
}

function fromJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "token" in value ? value.token : value;
  } catch {
    return null;
  }
}
