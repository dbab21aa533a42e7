/** The text with every run of white space folded into one space, and none at its ends. */
export function foldSpace(text: string): string {
  return text.replace(/\s+/gu, " ").trim();
}
