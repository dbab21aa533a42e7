import { html, nothing, svg, type TemplateResult } from "lit/html.js";
import { clock, number, say } from "../words/index.js";

/** One row of values over the minutes. Null: of that minute nothing is known. */
export interface Series {
  label: string;
  values: Array<number | null>;
  /** Bars stand on each other in the order of the series; lines go over them. */
  as: "bar" | "line" | "area";
}

export interface ChartOptions {
  title: string;
  unit: string;
  /** When each minute began, RFC 3339, oldest first. */
  at: string[];
  series: Series[];
  /** The minute that is pointed at, or null. */
  pointed: number | null;
  point: (index: number | null) => void;
}

/** Drawing units; the drawing is stretched to its box. */
const [WIDTH, HEIGHT] = [600, 120];

/** A chart of the last hour, with the same numbers as a table. */
export function chart({ title, unit, at, series, pointed, point }: ChartOptions): TemplateResult {
  const top = niceAbove(highest(series));
  const step = WIDTH / at.length;
  const shown = pointed ?? at.length - 1;
  const move = (event: PointerEvent): void => {
    const box = (event.currentTarget as Element).getBoundingClientRect();
    point(Math.min(at.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * at.length))));
  };
  return html`<figure class="chart card">
    <figcaption>
      <h2>${title} <span class="unit">${unit}</span></h2>
      <p class="legend">
        ${series.map(
          ({ label, values, as }, index) =>
            html`<span class="key" data-series=${index} data-as=${as}><span class="swatch"></span>${label} <b>${shownValue(values[shown] ?? null)}</b></span>`,
        )}
        <span class="pointed">${pointed === null ? say("chart.now") : clock(at[shown] ?? "")}</span>
      </p>
    </figcaption>
    <div class="plot">
      <div class="scale" aria-hidden="true"><span>${number(top)}</span><span>${number(top / 2)}</span><span>0</span></div>
      <svg
        viewBox="0 0 ${WIDTH} ${HEIGHT}"
        preserveAspectRatio="none"
        role="img"
        aria-label=${summary(title, series, at.length - 1)}
        @pointermove=${move}
        @pointerleave=${() => point(null)}
      >
        ${[0, 0.5, 1].map((share) => svg`<line class="grid" x1="0" x2=${WIDTH} y1=${HEIGHT * share} y2=${HEIGHT * share}></line>`)}
        ${pointed === null ? nothing : svg`<rect class="cursor" x=${pointed * step} y="0" width=${step} height=${HEIGHT}></rect>`}
        ${bars(series, top, step)} ${series.map((one, index) => (one.as === "bar" ? nothing : line(one, index, top, step)))}
      </svg>
      <div class="hours" aria-hidden="true">
        ${[0, 20, 40].map((index) => html`<span>${clock(at[index] ?? "")}</span>`)}<span>${say("chart.now")}</span>
      </div>
    </div>
    <details>
      <summary>${say("chart.table")}</summary>
      <div class="scroll" tabindex="0" role="region" aria-label="${title}: ${say("chart.table")}">
        <table>
          <thead>
            <tr>
              <th scope="col">${say("chart.minute")}</th>
              ${series.map(({ label }) => html`<th scope="col" class="number">${label}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${at
              .map(
                (minute, index) =>
                  html`<tr>
                    <th scope="row">${clock(minute)}</th>
                    ${series.map(({ values }) => html`<td class="number">${shownValue(values[index] ?? null)}</td>`)}
                  </tr>`,
              )
              .reverse()}
          </tbody>
        </table>
      </div>
    </details>
  </figure>`;
}

function bars(series: Series[], top: number, step: number): unknown[] {
  const stacked = new Map<number, number>();
  return series.flatMap(({ as, values }, place) =>
    as !== "bar"
      ? []
      : values.map((value, index) => {
          if (value === null || value === 0) return nothing;
          const below = stacked.get(index) ?? 0;
          stacked.set(index, below + value);
          // A little is still something to be seen.
          const height = Math.max(1.5, (value / top) * HEIGHT);
          const y = HEIGHT - (below / top) * HEIGHT - height;
          return svg`<rect class="bar" data-series=${place} x=${index * step + step * 0.14} y=${y} width=${step * 0.72} height=${height}></rect>`;
        }),
  );
}

/** A line, with a gap where nothing is known; one minute between two gaps is a dot. */
function line({ values, as }: Series, place: number, top: number, step: number): TemplateResult {
  const runs: Array<Array<[number, number]>> = [];
  let run: Array<[number, number]> | null = null;
  for (const [index, value] of values.entries()) {
    if (value === null) {
      run = null;
      continue;
    }
    if (run === null) {
      run = [];
      runs.push(run);
    }
    run.push([index * step + step / 2, HEIGHT - (value / top) * HEIGHT]);
  }
  const drawn = (points: Array<[number, number]>): string => `M${points.map(placed).join("L")}`;
  const lines = runs.filter(({ length }) => length > 1);
  const dots = runs.filter(({ length }) => length === 1);
  const under = lines.map((points) => `${drawn(points)}V${HEIGHT}H${points[0]?.[0]}Z`);
  return svg`${as === "area" ? svg`<path class="under" data-series=${place} d=${under.join("")}></path>` : nothing}
    <path class="line" data-series=${place} d=${lines.map(drawn).join("")}></path>
    <path class="line dots" data-series=${place} d=${dots.map((points) => `${drawn(points)}h0.01`).join("")}></path>`;
}

function placed([x, y]: [number, number]): string {
  return `${x},${y.toFixed(2)}`;
}

function highest(series: Series[]): number {
  const minutes = Math.max(0, ...series.map(({ values }) => values.length));
  let most = 0;
  for (let index = 0; index < minutes; index++) {
    let stack = 0;
    for (const { values, as } of series) {
      const value = values[index] ?? 0;
      if (as === "bar") stack += value;
      else most = Math.max(most, value);
    }
    most = Math.max(most, stack);
  }
  return most;
}

/** The next round number, which halves to one that can be read. */
function niceAbove(value: number): number {
  if (value <= 2) return 2;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 6, 8, 10].find((one) => one * power >= value) ?? 10) * power;
}

function summary(title: string, series: Series[], last: number): string {
  const name = ({ label }: Series, value: number | null) => `${label} ${shownValue(value)}`;
  const most = series.map((one) => name(one, Math.max(0, ...one.values.map((value) => value ?? 0))));
  const now = series.map((one) => name(one, one.values[last] ?? null));
  return say("chart.summary", { title, most: most.join(", "), now: now.join(", ") });
}

function shownValue(value: number | null): string {
  return value === null ? say("none") : number(value);
}
