/** What a spreadsheet would take for the beginning of a formula. Threat: a member's text that runs on a moderator's machine. */
const FORMULA = /^[=+\-@\t\r\n]/;

/** Besides RFC 4180's, what spreadsheets of other countries separate cells by. Threat: as above, from the middle of a cell. */
const TO_QUOTE = /[",;\t\r\n]/;

/** One line of CSV (RFC 4180). A cell that a spreadsheet would compute gets an apostrophe in front; null and undefined are empty cells. */
export function csvLine(cells: ReadonlyArray<string | null | undefined>): string {
  return `${cells.map(cellOf).join(",")}\r\n`;
}

function cellOf(value: string | null | undefined): string {
  const text = value ?? "";
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return TO_QUOTE.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
