import { html, type TemplateResult } from "lit/html.js";
import { type Desk, every, type Page } from "../desk.js";
import { Loaded } from "../loaded.js";
import type { Minute } from "../shapes.js";
import { clock, number, say, sayCount } from "../words/index.js";
import { chart } from "./chart.js";
import { failureNotice, loading, pageHead } from "./pieces.js";

/** How often the numbers are asked for. Milliseconds. */
const REFRESH_MS = 5_000;

interface Figures {
  online: { users: number; sessions: number };
  minutes: Minute[];
}

/** How much comes in, goes out and how fast, over the last hour. */
export class Overview implements Page {
  readonly #desk: Desk;
  readonly #figures: Loaded<Figures>;
  readonly #stops: Array<() => void>;
  #pointed: number | null = null;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#figures = new Loaded(
      async () => {
        const [online, { minutes }] = await Promise.all([
          desk.api.get<Figures["online"]>("/v1/online"),
          desk.api.get<Pick<Figures, "minutes">>("/v1/activity"),
        ]);
        return { online, minutes };
      },
      () => desk.update(),
    );
    void this.#figures.run();
    this.#stops = [every(REFRESH_MS, () => void this.#figures.poll()), desk.onReturn(() => void this.#figures.refresh())];
  }

  title(): string {
    return say("overview.title");
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  view(): TemplateResult {
    const { value, failure } = this.#figures;
    return html`${pageHead(say("overview.title"), say("overview.sub"))} ${failureNotice(failure, () => void this.#figures.run())}
    ${value === null ? (failure === null ? loading() : "") : this.#shown(value)}`;
  }

  #shown({ online, minutes }: Figures): TemplateResult {
    const sum = (of: (minute: Minute) => number): number => minutes.reduce((all, minute) => all + of(minute), 0);
    const slowest = minutes.reduce<Minute | null>(
      (worst, minute) => ((minute.deliveryMs?.p99 ?? 0) > (worst?.deliveryMs?.p99 ?? 0) ? minute : worst),
      null,
    );
    return html`<dl class="figures">
        ${figure(say("overview.online"), number(online.users), sayCount("overview.sessions", online.sessions))}
        ${figure(say("overview.events"), number(sum(({ events }) => events)), say("overview.entries", { n: sum(({ entries }) => entries) }))}
        ${figure(
          say("overview.delivered"),
          number(sum(({ delivered }) => delivered)),
          say("overview.replayed", { n: sum(({ replayed }) => replayed) }),
        )}
        ${figure(
          slowest === null ? say("overview.slowest") : `${say("overview.slowest")}, ${clock(slowest.at)}`,
          slowest?.deliveryMs == null ? say("none") : say("within", { n: slowest.deliveryMs.p99 }),
          slowest === null ? say("overview.quiet") : say("overview.slowestSub"),
        )}
      </dl>
      <div class="charts">${this.#charts(minutes)}</div>`;
  }

  #charts(minutes: Minute[]): TemplateResult[] {
    const at = minutes.map((minute) => minute.at);
    const known = (of: (minute: Minute) => number | null) => minutes.map((minute) => (minute.processes === 0 ? null : of(minute)));
    const pointing = {
      at,
      pointed: this.#pointed,
      point: (index: number | null) => {
        this.#pointed = index;
        this.#desk.update();
      },
    };
    return [
      chart({
        ...pointing,
        title: say("chart.ingest"),
        unit: say("chart.perMinute"),
        series: [
          { label: say("chart.events"), values: known(({ events }) => events), as: "bar" },
          { label: say("chart.entries"), values: known(({ entries }) => entries), as: "line" },
        ],
      }),
      chart({
        ...pointing,
        title: say("chart.delivery"),
        unit: say("chart.perMinute"),
        series: [
          { label: say("chart.live"), values: known(({ delivered }) => delivered), as: "bar" },
          { label: say("chart.replayed"), values: known(({ replayed }) => replayed), as: "bar" },
        ],
      }),
      chart({
        ...pointing,
        title: say("chart.time"),
        unit: say("chart.ms"),
        series: [
          { label: say("chart.half"), values: known(({ deliveryMs }) => deliveryMs?.p50 ?? null), as: "line" },
          { label: say("chart.most"), values: known(({ deliveryMs }) => deliveryMs?.p99 ?? null), as: "line" },
        ],
      }),
      chart({
        ...pointing,
        title: say("chart.sessions"),
        unit: say("chart.atEnd"),
        series: [{ label: say("chart.open"), values: known(({ sessions }) => sessions), as: "area" }],
      }),
    ];
  }
}

function figure(label: string, value: string, sub: string): TemplateResult {
  return html`<div class="figure card">
    <dt>${label}</dt>
    <dd><strong>${value}</strong><span>${sub}</span></dd>
  </div>`;
}
