import express, { type Router } from "express";
import type { AuditEntry } from "../moderation/types.js";
import { admitStaff, requireRank } from "./admission.js";
import type { Credentials } from "./credentials.js";
import { csvLine } from "./csv.js";
import { type Download, sendDownload } from "./download.js";
import type { ModerationApi } from "./ports.js";
import { auditQuery, formatOf } from "./queries.js";

/** The columns of the export. */
const COLUMNS = ["id", "at", "by", "act", "target", "why", "until", "refused", "from"] as const;

type Narrowing = Pick<ReturnType<typeof auditQuery>, "by" | "act" | "target">;

/** `/v1/audit`: the audit log, in pages newest first, or all of it as a file, oldest first. */
export function createAuditRouter({ credentials, moderation }: { credentials: Credentials; moderation: ModerationApi }): Router {
  const router = express.Router();
  router.use(admitStaff(credentials), requireRank);

  router.get("/", async (request, response) => {
    const query = auditQuery(request.query);
    const format = formatOf(request, ["csv", "ndjson"]);
    if (format === "json") response.json(await moderation.audit(query));
    else await sendDownload(response, downloadOf(format, narrowed(moderation.export(), query)));
  });

  return router;
}

function downloadOf(format: "csv" | "ndjson", entries: AsyncIterable<AuditEntry>): Download {
  return format === "csv"
    ? {
        name: "audit.csv",
        type: "text/csv",
        header: csvLine(COLUMNS),
        lines: lines(entries, (entry) => csvLine(COLUMNS.map((column) => entry[column]))),
      }
    : { name: "audit.ndjson", type: "application/x-ndjson", header: "", lines: lines(entries, (entry) => `${JSON.stringify(entry)}\n`) };
}

async function* lines(entries: AsyncIterable<AuditEntry>, lineOf: (entry: AuditEntry) => string): AsyncGenerator<string> {
  for await (const entry of entries) yield lineOf(entry);
}

async function* narrowed(entries: AsyncIterable<AuditEntry>, { by, act, target }: Narrowing): AsyncGenerator<AuditEntry> {
  for await (const entry of entries) {
    const fits = (by ?? entry.by) === entry.by && (act ?? entry.act) === entry.act && (target ?? entry.target) === entry.target;
    if (fits) yield entry;
  }
}
