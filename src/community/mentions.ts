/**
 * What a post's text says about people: who is mentioned and who is quoted, in Discourse's notation. The rules are those of these two
 * patterns (Python's `re`, whose \w, \d and \s are Unicode's):
 *
 *     mention  (?<![\w/.@])@([A-Za-z0-9_][A-Za-z0-9_.-]*[A-Za-z0-9_]|[A-Za-z0-9_])
 *     quote    \[quote="([^",\]]+),\s*post:(\d+),\s*topic:(\d+)[^\]]*"\](.*?)\[/quote\]
 *
 * The quote pattern run as it stands takes quadratic time on a post of nothing but opened quotes, so here it is a scanner that looks at
 * every character a bounded number of times and finds the same.
 */

const MENTION = /(?<![\p{L}\p{N}_/.@])@([A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)/gu;

const QUOTE_START = '[quote="';
const QUOTE_END = "[/quote]";
const SPACE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]*";
const QUOTE_HEAD = new RegExp(`\\[quote="([^",\\]]+),${SPACE}post:\\p{Nd}+,${SPACE}topic:\\p{Nd}+`, "uy");

/** The names mentioned in a text without quotes, as written, in order, repeated as they are. */
export function mentionedIn(text: string): string[] {
  return text.includes("@") ? Array.from(text.matchAll(MENTION), (match) => match[1] as string) : [];
}

/** `outside` is the text with each quote replaced by a space; `quoted` the quoted names, as written, in order, repeated as they are. */
export function splitQuotes(raw: string): { outside: string; quoted: string[] } {
  const quoted: string[] = [];
  let outside = "";
  let kept = 0;
  // The next "]" and the next end are looked for only when the last ones found lie behind: that is what keeps the scan linear.
  let bracket = -1;
  let end = -1;
  let start = raw.indexOf(QUOTE_START);
  while (start !== -1) {
    let next = start + 1;
    QUOTE_HEAD.lastIndex = start;
    const head = QUOTE_HEAD.exec(raw);
    if (head !== null) {
      const headEnd = QUOTE_HEAD.lastIndex;
      if (bracket < headEnd) bracket = raw.indexOf("]", headEnd);
      if (bracket === -1) break;
      if (raw[bracket - 1] === '"') {
        if (end <= bracket) end = raw.indexOf(QUOTE_END, bracket + 1);
        if (end === -1) break;
        quoted.push(head[1] as string);
        outside += `${raw.slice(kept, start)} `;
        next = end + QUOTE_END.length;
        kept = next;
      }
    }
    start = raw.indexOf(QUOTE_START, next);
  }
  return { outside: kept === 0 ? raw : outside + raw.slice(kept), quoted };
}
