// @ts-check
/**
 * The leaderboard's value as this page takes it. A topic is written by a server, and may hold anything.
 *
 * @typedef {{ seq: number, data: unknown }} TopicValue
 * @typedef {{ id: string, name: string, comments: number, rank: number, share: number }} Row
 */

/** Threat: a list that fills the page. */
const MAX_ROWS = 10;

/**
 * The newest of two values wins.
 * @param {TopicValue | null} shown
 * @param {TopicValue} update
 */
export function newest(shown, update) {
  return shown !== null && update.seq <= shown.seq ? shown : update;
}

/**
 * The board's lines in its own order. Equals share a rank; `share` is 0 to 1, of what the first has.
 * @param {unknown} data
 * @returns {Row[]}
 */
export function rowsOf(data) {
  const { members } = /** @type {{ members?: unknown }} */ (Object(data));
  if (!Array.isArray(members)) return [];
  const shown = members.filter(isStanding).slice(0, MAX_ROWS);
  const most = Math.max(1, ...shown.map(({ comments }) => comments));
  return shown.map(({ id, name, comments }) => {
    const rank = 1 + shown.filter((other) => other.comments > comments).length;
    return { id, name, comments, rank, share: comments / most };
  });
}

/**
 * @param {unknown} value
 * @returns {value is { id: string, name: string, comments: number }}
 */
function isStanding(value) {
  const { id, name, comments } = Object(value);
  return typeof id === "string" && typeof name === "string" && Number.isSafeInteger(comments) && comments >= 0;
}
