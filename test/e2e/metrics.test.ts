import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { Member, until } from "../support/member.js";
import { notify } from "../support/notify.js";
import { metric, RawSocket } from "../support/raw.js";
import { type Service, startService } from "../support/service.js";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** Labels that Prometheus adds, or that its histograms have. */
const ADDED_LABELS = ["instance", "job", "le"];

/** A metric as Prometheus sees it, or as the documentation has it. */
interface Known {
  type: string;
  labels: Set<string>;
}

/** The rows of the documentation's table: several names may share one. */
function documented(): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const [, names = "", type = ""] of read("docs/OPERATIONS.md").matchAll(/^\| ((?:`belfry_[^`]+`(?:, )?)+) \| (\w+) \|/gm)) {
    for (const [, name = "", labels] of names.matchAll(/`(belfry_\w+)(?:\{([\w,]+)\})?`/g)) {
      known.set(name, { type, labels: new Set(labels?.split(",") ?? []) });
    }
  }
  return known;
}

/** What a service exports: each metric with the labels that its series have had so far. */
async function exported(service: Service): Promise<Map<string, Known>> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const known = new Map<string, Known>();
  for (const [, name = "", type = ""] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm)) known.set(name, { type, labels: new Set() });
  for (const [, series = "", labels = ""] of text.matchAll(/^(\w+)\{(.+)\} \S+$/gm)) {
    const owner = known.get(series) ?? known.get(series.replace(/_(bucket|sum|count)$/, ""));
    for (const [, label = ""] of labels.matchAll(/(?:^|,)(\w+)="(?:[^"\\]|\\.)*"/g)) if (label !== "le") owner?.labels.add(label);
  }
  return known;
}

/** The expressions of the dashboard and of the alert rules. */
function expressions(): string[] {
  const dashboard: string[] = [];
  JSON.parse(read("deploy/grafana/belfry.json"), (key, value: unknown) => {
    if (key === "expr" || key === "definition") dashboard.push(String(value));
    return value;
  });
  const alerts = [...read("deploy/prometheus/alerts.yaml").matchAll(/^ *expr: (.+)$/gm)].map(([, expr = ""]) => expr);
  return [...dashboard, ...alerts];
}

let service: Service;

beforeAll(async () => {
  service = await startService();
});

afterAll(() => service.stop());

async function value(series: string): Promise<number> {
  return metric(service, series.replace(/[{}()|.*+?^$]/g, "\\$&"));
}

describe("the metrics of a running service", () => {
  it("count an event, its delivery, and what its reader does then", async () => {
    const ada = await new Member("ada", { url: service.url, secret: service.jwtSecret }).connect().ready();
    await notify(service, ["ada", "bruno"], "hello");
    await until("it has arrived", () => ada.applied.size === 1);
    const [entry] = ada.applied.values();
    expect(await ada.ask("read", { ids: [entry?.data.id] })).toMatchObject({ ok: true });
    expect(await ada.ask("read", { ids: "none" })).toMatchObject({ ok: false });
    // The mark is delivered too: the member's other devices would need it.
    await until("the mark has arrived", () => ada.applied.size === 2);
    for (const [series, count] of [
      ['belfry_events_total{outcome="stored"}', 1],
      ['belfry_http_request_seconds_count{route="/v1/notifications",method="POST",status="2xx"}', 1],
      ["belfry_ingest_seconds_count", 1],
      ["belfry_entries_appended_total", 3],
      ['belfry_append_rows_total{outcome="stored"}', 3],
      ["belfry_append_batch_size_sum", 3],
      ['belfry_deliveries_total{way="live"}', 2],
      ["belfry_delivery_seconds_count", 2],
      ['belfry_delivery_seconds_bucket{le="+Inf"}', 2],
      ['belfry_socket_request_seconds_count{namespace="/notifications",event="read",outcome="ok"}', 1],
      ['belfry_socket_request_seconds_count{namespace="/notifications",event="read",outcome="refused"}', 1],
      ['belfry_handshakes_total{namespace="/notifications",outcome="accepted"}', 1],
      ['belfry_namespace_sessions{namespace="/notifications"}', 1],
      ['belfry_namespace_sessions{namespace="/live"}', 0],
      ["belfry_connected_sessions", 1],
      ["belfry_online_users", 1],
      ["belfry_snapshots_total", 2],
      ['belfry_lease_held{lease="upkeep"}', 1],
    ] as const) {
      expect([series, await value(series)]).toEqual([series, count]);
    }
    ada.disconnect();
    await until("the session has ended", async () => (await value("belfry_connected_sessions")) === 0);
    await notify(service, ["ada"], "while you were away");
    await ada.connect().ready();
    expect(await value('belfry_deliveries_total{way="replay"}')).toBe(1);
    expect(await value("belfry_delivery_seconds_count")).toBe(2);
    ada.disconnect();
  });

  it("count who is refused, and why", async () => {
    const eve = new Member("eve", { url: service.url, secret: "not-the-secret-of-this-service-at-all" }).connect();
    await until("she is refused", () => eve.refusals.length > 0);
    eve.disconnect();
    expect(await value('belfry_handshakes_total{namespace="/notifications",outcome="unauthorized"}')).toBeGreaterThan(0);
  });

  it("show how far clients are behind", async () => {
    const headers = { authorization: `Bearer ${service.apiKey}`, "content-type": "application/json" };
    const body = JSON.stringify({ to: ["slow"], type: "test", data: { filling: "x".repeat(8_000) } });
    const send = () => fetch(`${service.url}/v1/notifications`, { method: "POST", headers, body }).then((answer) => answer.arrayBuffer());
    await Promise.all(Array.from({ length: 100 }, send));
    const slow = await RawSocket.join(service, "slow");
    slow.pause();
    await until("more waits than the kernel's buffers hold", async () => {
      for (let count = 0; count < 20; count++) slow.send(`42/notifications,1["list",{"limit":100}]`);
      return (await value("belfry_congested_sessions")) === 1;
    });
    expect(await value("belfry_waiting_bytes")).toBeGreaterThan(100_000);
    slow.drop();
    await until("nothing waits", async () => (await value("belfry_waiting_bytes")) === 0);
    expect(await value("belfry_congested_sessions")).toBe(0);
  });

  it("are all in the documentation, with their types and labels, and nothing else is", async () => {
    const inDocs = documented();
    const here = await exported(service);
    const own = new Map([...here].filter(([name]) => name.startsWith("belfry_")));
    expect([...own.keys()].sort()).toEqual([...inDocs.keys()].sort());
    for (const [name, { type, labels }] of own) {
      const { type: typeInDocs, labels: labelsInDocs } = inDocs.get(name) as Known;
      expect([name, type]).toEqual([name, typeInDocs]);
      // A metric that has counted nothing yet has no labels to show.
      if (labels.size > 0) expect([name, ...labels].sort()).toEqual([name, ...labelsInDocs].sort());
    }
  });

  it("have what the dashboard and the alert rules ask for", async () => {
    const here = await exported(service);
    const inDocs = documented();
    const asked = expressions();
    expect(asked.length).toBeGreaterThan(60);
    for (const expression of asked) {
      const names = expression.match(/\b(?:belfry|process|nodejs)_\w+/g) ?? [];
      for (const name of names) {
        const owner = here.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");
        expect([expression, name, here.get(owner)?.type]).toEqual([expression, name, expect.any(String)]);
        // Parts of a histogram are those of nothing else.
        if (owner !== name) expect([name, here.get(owner)?.type]).toEqual([name, "histogram"]);
      }
      const labels = [...expression.matchAll(/(?:[{,] *)(\w+)(?:=~|!=|!~|=)"/g)].map(([, label = ""]) => label);
      const grouped = [...expression.matchAll(/\bby \(([\w, ]+)\)/g)].flatMap(([, list = ""]) => list.split(/, */));
      for (const label of [...labels, ...grouped].filter((one) => !ADDED_LABELS.includes(one))) {
        const owners = names.map((name) => inDocs.get(name) ?? inDocs.get(name.replace(/_(bucket|sum|count)$/, "")));
        expect([expression, label, owners.some((owner) => owner?.labels.has(label))]).toEqual([expression, label, true]);
      }
    }
  });
});

describe("the dashboard", () => {
  it("can be imported: panels have ids of their own, places that do not overlap, and the data source that is chosen", () => {
    const { panels, templating } = JSON.parse(read("deploy/grafana/belfry.json")) as {
      panels: Array<{ id: number; type: string; gridPos: { x: number; y: number; w: number; h: number }; datasource?: { uid: string } }>;
      templating: { list: Array<{ name: string; type: string }> };
    };
    expect(templating.list).toContainEqual(expect.objectContaining({ name: "datasource", type: "datasource" }));
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { id, type, gridPos, datasource } of panels) {
      if (type !== "row") expect([id, datasource?.uid]).toEqual([id, expect.stringMatching(/^\$\{datasource\}$/)]);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect([id, taken.has(`${x},${y}`)]).toEqual([id, false]);
          taken.add(`${x},${y}`);
        }
      }
    }
  });
});
