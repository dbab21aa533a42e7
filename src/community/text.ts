/**
 * The text cut to `max` characters (code points, so that no emoji is halved). What is cut away is not marked: whoever shows an excerpt
 * knows that it is one.
 */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  // A code point takes at most two units, so twice the limit holds enough of them and a hostile megabyte is not spread into an array.
  return Array.from(text.slice(0, 2 * max))
    .slice(0, max)
    .join("");
}

/** The text with every run of white space folded into one space, and none at its ends. */
export function foldSpace(text: string): string {
  return text.replace(/\s+/gu, " ").trim();
}
