/** What a spreadsheet would take for the beginning of a formula. Threat: a member's text that runs on a moderator's machine. */
const FORMULA = /^[=+\-@\t\r\n]/;

/** One line of CSV (RFC 4180). A cell that a spreadsheet would compute gets an apostrophe in front; null and undefined are empty cells. */
export function csvLine(cells: ReadonlyArray<string | null | undefined>): string {
  return `${cells.map(cellOf).join(",")}\r\n`;
}

function cellOf(value: string | null | undefined): string {
  const text = value ?? "";
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
