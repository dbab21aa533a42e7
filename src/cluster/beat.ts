import { MAX_LABEL_LENGTH } from "./limits.js";
import { count, flag, record, text, time } from "./shapes.js";

/** What a node says of itself. */
export interface Beat {
  /** Its clock: milliseconds since the Unix epoch. */
  at: number;
  /** When it was sent, by a clock of the node's own that never goes back: later beats have higher marks. Milliseconds. */
  mark: number;
  /** What the operator calls the node. */
  name: string;
  /** The node's release. */
  version: string;
  /** Sessions on it. */
  sessions: number;
  /** The number of the last change of its roster. */
  roster: number;
  /** For each node that it knows, the number of its last message to that. The one to all is the beat's own. */
  sent: Record<string, number>;
  /** For each node whose roster it knows, the number of the last change that it knows of. */
  knows: Record<string, number>;
  /** It is about to stop. */
  draining: boolean;
  /** It does not hear itself in time: what it sends may be lost or late. */
  late: boolean;
}

/** What another node's beat says to this node. */
export interface HeardBeat extends Omit<Beat, "sent" | "knows"> {
  /** The number of its last message to this node, or null where it does not know this node. */
  sent: number | null;
  /** The last change of this node's roster that it knows of, or null where it does not know the roster. */
  knows: number | null;
}

/** A beat as this node (`me`) hears it. @throws Rubbish */
export function readBeat(data: unknown, me: string): HeardBeat {
  const beat = record(data, "a beat");
  return {
    at: time(beat.at, "at"),
    mark: time(beat.mark, "mark"),
    name: text(beat.name, MAX_LABEL_LENGTH, "name"),
    version: text(beat.version, MAX_LABEL_LENGTH, "version"),
    sessions: count(beat.sessions, "sessions"),
    roster: count(beat.roster, "roster"),
    sent: own(beat.sent, me, "sent"),
    knows: own(beat.knows, me, "knows"),
    draining: flag(beat.draining, "draining"),
    late: flag(beat.late, "late"),
  };
}

/** Of a table by node, only what concerns this one is read. */
function own(table: unknown, me: string, what: string): number | null {
  const value = record(table, what)[me];
  return value === undefined ? null : count(value, what);
}
