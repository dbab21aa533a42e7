/** A text with places in braces, or its plural forms by the names of `Intl.PluralRules`; `other` is needed. */
export type Message = string | ({ readonly [form in Intl.LDMLPluralRule]?: string } & { readonly other: string });

/** A piece of a message: text as it is, or a place that the caller fills. */
export type Piece = { readonly text: string } | { readonly place: string };

/** Splits a message's text at its places: `"{who} replied"` is a place and a text. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(/\{(\w+)\}/g)) {
    if (match.index > at) pieces.push({ text: text.slice(at, match.index) });
    pieces.push({ place: match[1] ?? "" });
    at = match.index + match[0].length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}
