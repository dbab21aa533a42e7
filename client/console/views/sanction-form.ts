import { html, nothing, type TemplateResult } from "lit/html.js";
import { segment } from "../api.js";
import type { Desk } from "../desk.js";
import { asRefusal, type Refusal } from "../refusal.js";
import { say } from "../words/index.js";
import { choice, failureNotice, field, textOf } from "./pieces.js";

const HOUR_MS = 3_600_000;
const TERMS = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS, month: 30 * 24 * HOUR_MS } as const;

type Kind = "mute" | "kick" | "ban";
type Term = keyof typeof TERMS | "good" | "date";

/** Mutes, kicks or bans a member. */
export class SanctionForm {
  readonly #desk: Desk;
  readonly #user: string;
  readonly #acted: () => void;
  #kind: Kind = "mute";
  #term: Term = "day";
  #failure: Refusal | null = null;
  #busy = false;

  /** `acted` is called when something was done. */
  constructor(desk: Desk, user: string, acted: () => void) {
    this.#desk = desk;
    this.#user = user;
    this.#acted = acted;
  }

  view(): TemplateResult {
    const set = (change: () => void): void => {
      change();
      this.#desk.update();
    };
    return html`<form class="card form" @submit=${(event: Event) => void this.#submit(event)}>
      <h2>${say("member.act")}</h2>
      ${choice(
        say("member.act.kind"),
        "kind",
        (["mute", "kick", "ban"] as const).map((value) => ({
          value,
          label: say(`member.act.${value}`),
          hint: say(`member.act.${value}Hint`),
        })),
        this.#kind,
        (kind) =>
          set(() => {
            this.#kind = kind;
          }),
      )}
      ${field(say("member.why"), html`<input name="why" type="text" required maxlength="500" dir="auto" />`, say("member.whyHint"))}
      ${
        this.#kind === "kick"
          ? nothing
          : choice(
              say("member.for"),
              "term",
              (["hour", "day", "week", "month", "good", "date"] as const).map((value) => ({ value, label: say(`member.for.${value}`) })),
              this.#term,
              (term) =>
                set(() => {
                  this.#term = term;
                }),
            )
      }
      ${
        this.#kind !== "kick" && this.#term === "date"
          ? field(say("member.until.date"), html`<input name="until" type="datetime-local" required />`)
          : nothing
      }
      ${failureNotice(this.#failure)}
      <div class="form-end">
        <button type="submit" class=${this.#kind === "ban" ? "danger" : "primary"} ?disabled=${this.#busy}>${say(`member.act.${this.#kind}`)}</button>
      </div>
    </form>`;
  }

  async #submit(event: Event): Promise<void> {
    event.preventDefault();
    if (this.#busy) return;
    const form = event.currentTarget as HTMLFormElement;
    const kind = this.#kind;
    const why = textOf(form, "why");
    this.#busy = true;
    this.#failure = null;
    this.#desk.update();
    try {
      const path = `/v1/members/${segment(this.#user)}/${kind}`;
      if (kind === "kick") await this.#desk.api.send("POST", path, { why });
      else await this.#desk.api.send("PUT", path, { why, until: this.#until(form) });
      this.#desk.done(say(`member.done.${kind}`, { user: this.#user }));
      // Nothing else: what is chosen holds for the next act too, and shows.
      const given = form.elements.namedItem("why");
      if (given instanceof HTMLInputElement) given.value = "";
      this.#acted();
    } catch (error) {
      this.#failure = asRefusal(error);
    }
    this.#busy = false;
    this.#desk.update();
  }

  /** Null: for good. */
  #until(form: HTMLFormElement): string | null {
    if (this.#term === "good") return null;
    if (this.#term === "date") return new Date(textOf(form, "until")).toISOString();
    return new Date(this.#desk.api.now() + TERMS[this.#term]).toISOString();
  }
}
