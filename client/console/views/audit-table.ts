import { html, nothing, type TemplateResult } from "lit/html.js";
import type { AuditEntry } from "../shapes.js";
import { moment, say, sayOr } from "../words/index.js";
import { memberLink, time } from "./pieces.js";

/** What acts are done on; the others are done on members. */
const ON_ANNOUNCEMENTS = new Set(["announce", "announcement.edit", "rescind"]);

/** Entries of the audit log; those in `fresh` came while it was looked at. The roles are for narrow screens, where it does not look like a table. */
export function auditTable(
  items: readonly AuditEntry[],
  label: string,
  { withTarget = true, fresh = new Set<string>() }: { withTarget?: boolean; fresh?: ReadonlySet<string> } = {},
): TemplateResult {
  return html`<div class="scroll card" tabindex="0" role="region" aria-label=${label}>
    <table class="audit" role="table">
      <thead role="rowgroup">
        <tr role="row">
          <th role="columnheader" scope="col">${say("audit.when")}</th>
          <th role="columnheader" scope="col">${say("audit.by")}</th>
          <th role="columnheader" scope="col">${say("audit.act")}</th>
          ${withTarget ? html`<th role="columnheader" scope="col">${say("audit.target")}</th>` : nothing}
          <th role="columnheader" scope="col">${say("audit.why")}</th>
          <th role="columnheader" scope="col">${say("audit.from")}</th>
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${items.map((entry) => row(entry, withTarget, fresh.has(entry.id)))}
      </tbody>
    </table>
  </div>`;
}

function row({ id, at, by, act, target, why, until, refused, from }: AuditEntry, withTarget: boolean, isFresh: boolean): TemplateResult {
  return html`<tr role="row" data-id=${id} ?data-fresh=${isFresh} ?data-refused=${refused !== undefined}>
    <td role="cell" class="when">${time(at)}</td>
    <td role="cell" class="by">${by === "server" ? by : memberLink(by)}</td>
    <td role="cell" class="what"><span class="act" data-act=${act}>${sayOr(`act.${act}`, act)}</span></td>
    ${withTarget ? html`<td role="cell" class="on">${target === undefined ? say("none") : targetLink(act, target)}</td>` : nothing}
    <td role="cell" class="wide" ?data-blank=${why === undefined && until === undefined && refused === undefined}>
      <bdi>${why ?? (refused === undefined ? say("none") : nothing)}</bdi>
      ${until === undefined ? nothing : html`<span class="hint">${say("audit.until", { until: moment(until) })}</span>`}
      ${refused === undefined ? nothing : html`<span class="refused">${say("audit.refused", { why: refused })}</span>`}
    </td>
    <td role="cell" class="from"><code>${from ?? say("none")}</code></td>
  </tr>`;
}

function targetLink(act: string, target: string): TemplateResult {
  if (!ON_ANNOUNCEMENTS.has(act)) return memberLink(target);
  return html`<a href="#/announcements/${encodeURIComponent(target)}">${target}</a>`;
}
