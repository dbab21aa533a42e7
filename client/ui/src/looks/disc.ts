/** How many colours there are for the discs of members without a picture; `--disc-0` and on in looks/tokens.ts. */
const COLOURS = 7;

/** The colour of somebody's disc: the same on every page. */
export function discColour(id: string): number {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9_973;
  return sum % COLOURS;
}

/** What stands in it: the first letter or sign of a name as people see it, a whole emoji too. */
export function initialOf(name: string): string {
  const [first] = new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(name.trim());
  return (first?.segment ?? "").toLocaleUpperCase();
}
