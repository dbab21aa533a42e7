import type { Belfry, Status } from "belfry-client";
import { html, nothing, type TemplateResult } from "lit/html.js";
import type { Member } from "../api.js";
import type { Standing } from "../leaderboard.js";
import { disc } from "./pieces.js";

/** What stands above the threads is drawn from this. */
export interface FrameParts {
  readonly client: Belfry;
  readonly members: readonly Member[];
  readonly me: Member;
  readonly status: Status;
  readonly isOn: boolean;
  /** How many came that had been missed, since the connection is back. */
  readonly caughtUp: number;
  /** Whether the page is one of two on another page. */
  readonly isFramed: boolean;
  choose(member: string): void;
  turn(on: boolean): void;
}

export function header(parts: FrameParts): TemplateResult {
  const { client, members, me, isOn, isFramed } = parts;
  return html`<header>
    <div class="bar">
      ${isFramed ? nothing : html`<a class="brand" href="/" aria-label="Belfry: two members side by side"><img src="/client/demo.svg" alt="" width="26" height="26" /><span>Belfry</span></a>`}
      <label class="who">
        ${disc(me)}
        <span class="spoken">Signed in as</span>
        <select @change=${(event: Event) => parts.choose((event.target as HTMLSelectElement).value)}>
          ${members.map(({ id, name }) => html`<option value=${id} ?selected=${id === me.id}>${name}</option>`)}
        </select>
      </label>
      <button type="button" class="switch" role="switch" aria-checked=${isOn ? "true" : "false"} @click=${() => parts.turn(!isOn)}>
        <span class="label">Network</span><span class="track"><span class="knob"></span></span>
      </button>
      <belfry-bell id="bell" hide="banner" push=${isFramed ? nothing : ""} .client=${client}></belfry-bell>
    </div>
    ${state(parts)}
    <belfry-banner class="announcements" .client=${client} @belfry-left=${focusBell}></belfry-banner>
  </header>`;
}

function focusBell(): void {
  document.querySelector<HTMLElement>("belfry-bell")?.focus();
}

/** How it stands with the connection, in words. */
function state({ me, status, isOn, caughtUp, isFramed }: FrameParts): TemplateResult {
  return html`<p class="state" role="status" data-is=${isOn ? status.is : "cut"}>${words()}</p>`;

  function words(): string {
    if (!isOn) return `${me.name} is offline. Write ${isFramed ? "on the other side" : "from another tab"}, then switch the network on.`;
    if (status.is === "stopped") return status.message ?? "The session has ended.";
    if (status.is !== "online" || !status.synced) return status.is === "connecting" ? "Connecting…" : "Reconnecting…";
    if (caughtUp > 0) return `Back. ${caughtUp} missed while away, now here.`;
    return "Connected";
  }
}

/** The leaderboard, and what else there is to try. */
export function ribbon(
  standings: readonly Standing[] | null,
  online: number | null,
  task: { start: () => void; problem: string | null },
  memberOf: (id: string) => Member,
): TemplateResult {
  return html`<section class="ribbon" aria-label="Leaderboard">
    <ol class="board">
      ${(standings ?? []).map(
        ({ id, name, comments, rank }) =>
          html`<li>
            <span class="rank">${rank}</span> ${disc(memberOf(id))} <span class="name">${name}</span>
            <span class="score">${comments}<span class="spoken"> ${comments === 1 ? "comment" : "comments"}</span></span>
          </li>`,
      )}
    </ol>
    <p class="online" ?hidden=${online === null}>${online} online</p>
    <button type="button" class="chip" @click=${task.start}>Start a long task</button>
    ${task.problem === null ? nothing : html`<p class="notice" role="alert">${task.problem}</p>`}
  </section>`;
}
