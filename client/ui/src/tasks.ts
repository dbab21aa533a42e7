import { type Task, webAddress } from "belfry-client";
import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { BelfryElement } from "./base.js";
import { shared, tokens } from "./looks/tokens.js";

/** `<belfry-tasks>`: how far the member's running tasks are. */
export class BelfryTasks extends BelfryElement {
  protected override render(): TemplateResult | typeof nothing {
    const { client, language } = this;
    const tasks = client?.tasks ?? [];
    if (tasks.length === 0) return nothing;
    return html`<div role="region" aria-label=${language.say("tasks")} part="tasks" dir=${this.direction ?? nothing} lang=${language.code}>
      <ul role="list">
        ${repeat(
          tasks,
          ({ task }) => task,
          (task) => this.#item(task),
        )}
      </ul>
    </div>`;
  }

  #item({ title, step, percent, url, text }: Task): TemplateResult {
    const { language } = this;
    const name = title || language.say("aTask");
    const address = webAddress(url);
    const known = typeof percent === "number" && Number.isFinite(percent) ? Math.max(0, Math.min(100, percent)) : null;
    const share = known === null ? "" : language.percent(known);
    const detail = step || text || "";
    return html`<li part="task">
      <div class="head">
        <span class="name" dir="auto">${address === null ? name : html`<a href=${address}>${name}</a>`}</span>
        <span class="share">${share}</span>
      </div>
      <div
        class="track"
        part="task-track"
        role="progressbar"
        aria-label=${name}
        aria-valuemin="0"
        aria-valuemax="100"
        aria-valuenow=${known === null ? nothing : Math.round(known)}
        aria-valuetext=${[known === null ? "" : language.say("percent", { percent: share }), detail].filter(Boolean).join(", ") || nothing}
      >
        <span class="bar ${known === null ? "unknown" : ""}" part="task-bar" .style=${known === null ? "" : `inline-size: ${known}%`}></span>
      </div>
      ${detail === "" ? nothing : html`<p class="detail" dir="auto">${detail}</p>`}
    </li>`;
  }

  static override styles = [
    tokens,
    shared,
    css`
      :host {
        display: block;
      }

      li {
        padding: 0.75rem 1rem;
        border-block-end: 1px solid var(--_line);
      }

      .head {
        display: flex;
        justify-content: space-between;
        gap: 1rem;
        font-size: 0.9333em;
        font-weight: 600;
      }

      .name {
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }

      .share {
        color: var(--_soft);
        font-variant-numeric: tabular-nums;
      }

      .track {
        block-size: 6px;
        margin-block: 0.45rem 0.3rem;
        overflow: hidden;
        border-radius: 3px;
        background: color-mix(in srgb, var(--_accent) 18%, transparent);
      }

      .bar {
        display: block;
        block-size: 100%;
        border-radius: inherit;
        background: var(--_accent);
        transition: inline-size 0.4s ease-out;
      }

      .unknown {
        inline-size: 35%;
        animation: to-and-fro 1.8s ease-in-out infinite alternate;
      }

      @keyframes to-and-fro {
        from {
          margin-inline-start: 0;
        }
        to {
          margin-inline-start: 65%;
        }
      }

      li:dir(rtl) > .detail {
        text-align: right;
      }

      .detail {
        color: var(--_soft);
        font-size: 0.8667em;
        overflow-wrap: anywhere;
      }
    `,
  ];
}
