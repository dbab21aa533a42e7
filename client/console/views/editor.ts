import { live } from "lit/directives/live.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import { segment } from "../api.js";
import type { Desk, Page } from "../desk.js";
import { changesOf, contentOf, type Draft, editDraft, forgetEdit, lacksAudience, newDraft, settleNewDraft } from "../drafts.js";
import { Loaded } from "../loaded.js";
import { asRefusal, type Refusal } from "../refusal.js";
import type { Announcement, Level } from "../shapes.js";
import { moment, say, zone } from "../words/index.js";
import { choice, failureNotice, field, loading, pageHead } from "./pieces.js";
import { Preview, type Seen } from "./preview.js";

const LEVELS: Level[] = ["info", "warning", "critical"];

interface InputExtras {
  required?: boolean;
  /** Characters. */
  max?: number;
  disabled?: boolean;
  /** It is for nobody as it is. */
  invalid?: boolean;
}

/** Writes a new announcement, or changes one, with how it will look beside it. */
export class Editor implements Page {
  readonly #desk: Desk;
  /** The one that is changed; null for a new one. */
  readonly #id: string | null;
  readonly #original: Loaded<Announcement> | null;
  #draft: Draft | null;
  /** What is changed, as it was; null while that is not known, and for a new one. */
  #edit: ReturnType<typeof editDraft> | null = null;
  readonly #preview = new Preview();
  #failure: Refusal | null = null;
  #busy = false;
  /** Whether it was to be sent: what is missing is not said before. */
  #wasTried = false;

  constructor(desk: Desk, id: string | null) {
    this.#desk = desk;
    this.#id = id;
    this.#draft = id === null ? newDraft().draft : null;
    this.#original =
      id === null
        ? null
        : new Loaded(
            () => desk.api.get(`/v1/announcements/${segment(id)}`),
            () => this.#arrived(),
          );
    void this.#original?.run();
  }

  title(): string {
    return say(this.#id === null ? "ann.write" : "ann.edit");
  }

  view(): TemplateResult {
    const head = pageHead(this.title(), this.#id === null ? say("ann.sub") : "");
    const failure = this.#original?.failure ?? null;
    if (failure !== null) return html`${head} ${failureNotice(failure, () => void this.#original?.run())}`;
    if (this.#draft === null) return html`${head} ${loading()}`;
    return html`${head} ${this.#edit?.wasNew === true ? html`<p class="notice" role="status">${say("ann.already")}</p>` : nothing}
      <div class="editor">
        ${this.#form(this.#draft)}
        <aside class="preview-side">
          <h2>${say("ann.preview")} <span class="hint">${say("ann.previewHint")}</span></h2>
          <div class="screen">
            <div class="screen-bar" aria-hidden="true"><span></span><span></span><span></span></div>
            <div inert>${this.#preview.view(contentShown(this.#draft))}</div>
            <div class="screen-lines" aria-hidden="true"><span></span><span></span><span></span></div>
          </div>
        </aside>
      </div>`;
  }

  #arrived(): void {
    const original = this.#original?.value ?? null;
    if (original !== null && this.#edit === null) {
      this.#edit = editDraft(original);
      this.#draft = this.#edit.draft;
    }
    this.#desk.update();
  }

  #form(draft: Draft): TemplateResult {
    const isLive = this.#original?.value?.state === "live";
    const set = (part: Partial<Draft>): void => {
      Object.assign(draft, part);
      this.#desk.update();
    };
    const isNobody = this.#wasTried && lacksAudience(draft);
    const input = (name: keyof Draft, type: string, extra: InputExtras = {}) =>
      html`<input
        name=${name}
        type=${type}
        dir=${type === "text" ? "auto" : nothing}
        step=${type === "datetime-local" && (draft[name] as string).length > 16 ? "0.001" : nothing}
        maxlength=${extra.max ?? nothing}
        ?required=${extra.required === true}
        ?disabled=${extra.disabled === true}
        aria-invalid=${extra.invalid === true ? "true" : nothing}
        aria-describedby=${extra.invalid === true ? "nobody" : nothing}
        .value=${live(draft[name] as string)}
        @input=${(event: Event) => set({ [name]: (event.target as HTMLInputElement).value })}
      />`;
    return html`<form class="card form" @submit=${(event: Event) => void this.#submit(event, draft)}>
      ${field(say("ann.field.title"), input("title", "text", { required: true, max: 200 }))}
      ${field(
        say("ann.field.text"),
        html`<textarea
          name="text"
          rows="4"
          maxlength="4000"
          dir="auto"
          .value=${live(draft.text)}
          @input=${(event: Event) => set({ text: (event.target as HTMLTextAreaElement).value })}
        ></textarea>`,
      )}
      ${field(say("ann.field.url"), input("url", "url", { max: 2048 }), say("ann.field.urlHint"))}
      ${choice(
        say("ann.level"),
        "level",
        LEVELS.map((value) => ({ value, label: say(`ann.level.${value}`) })),
        draft.level,
        (level) => set({ level }),
      )}
      ${choice(
        say("ann.how"),
        "putAway",
        (["dismissible", "sticky", "mandatory"] as const).map((value) => ({ value, label: say(`ann.how.${value}`) })),
        draft.putAway,
        (putAway) => set({ putAway }),
      )}
      <fieldset>
        <legend class="label">${say("ann.when")} <span class="hint">${say("ann.zone", { zone: zone() })}</span></legend>
        <div class="pair">
          ${field(say("ann.field.startsAt"), input("startsAt", "datetime-local", { disabled: isLive }), say("ann.field.startsHint"))}
          ${field(say("ann.field.expiresAt"), input("expiresAt", "datetime-local"), say("ann.field.expiresHint"))}
        </div>
      </fieldset>
      ${choice(
        say("ann.who"),
        "audience",
        [
          { value: "all", label: say("ann.who.all") },
          { value: "some", label: say("ann.who.some") },
        ],
        draft.isForSome ? "some" : "all",
        (audience) => set({ isForSome: audience === "some" }),
      )}
      ${
        draft.isForSome
          ? html`<div class="pair">
                ${field(say("ann.who.roles"), input("roles", "text", { invalid: isNobody }), say("ann.who.listHint"))}
                ${field(say("ann.who.users"), input("users", "text", { invalid: isNobody }), say("ann.who.listHint"))}
                ${field(say("ann.who.after"), input("joinedAfter", "datetime-local", { invalid: isNobody }))}
                ${field(say("ann.who.before"), input("joinedBefore", "datetime-local", { invalid: isNobody }))}
              </div>
              ${isNobody ? html`<p class="notice" id="nobody" role="alert">${say("ann.who.nobody")}</p>` : nothing}`
          : nothing
      }
      ${failureNotice(this.#failure)}
      <div class="form-end">
        ${this.#cancel()}
        <button type="submit" class="primary" ?disabled=${this.#busy}>
          ${say(this.#id !== null ? "ann.save" : draft.startsAt === "" ? "ann.announce" : "ann.schedule")}
        </button>
      </div>
    </form>`;
  }

  /** The draft of a new one is still there when its author comes back; a change that is given up is gone. */
  #cancel(): TemplateResult {
    const id = this.#id;
    if (id === null) return html`<a class="button quiet" href="#/announcements">${say("cancel")}</a>`;
    return html`<a class="button quiet" href="#/announcements/${segment(id)}" @click=${() => forgetEdit(id)}>${say("cancel")}</a>`;
  }

  async #submit(event: Event, draft: Draft): Promise<void> {
    event.preventDefault();
    if (this.#busy) return;
    this.#wasTried = true;
    if (lacksAudience(draft)) {
      (event.currentTarget as HTMLFormElement).querySelector<HTMLInputElement>("input[name=roles]")?.focus();
      this.#desk.update();
      return;
    }
    this.#busy = true;
    this.#failure = null;
    this.#desk.update();
    try {
      await (this.#id === null ? this.#announce(draft) : this.#change(this.#id, draft));
    } catch (error) {
      this.#failure = asRefusal(error);
    }
    this.#busy = false;
    this.#desk.update();
  }

  async #announce(draft: Draft): Promise<void> {
    const { key } = newDraft();
    const sent = { ...draft };
    const made = await this.#desk.api.send<Announcement>("POST", "/v1/announcements", { ...contentOf(sent), key });
    if (!settleNewDraft(sent, made)) {
      this.#desk.go(`/announcements/${segment(made.id)}/edit`);
      return;
    }
    this.#desk.done(
      made.startsAt !== undefined && Date.parse(made.startsAt) > this.#desk.api.now()
        ? say("ann.scheduled", { at: moment(made.startsAt) })
        : say("ann.announced"),
    );
    this.#desk.go(`/announcements/${segment(made.id)}`);
  }

  async #change(id: string, draft: Draft): Promise<void> {
    const changes = changesOf(draft, this.#edit?.before ?? draft);
    if (Object.keys(changes).length === 0) {
      this.#desk.done(say("ann.noChange"));
      return;
    }
    await this.#desk.api.send("PATCH", `/v1/announcements/${segment(id)}`, changes);
    forgetEdit(id);
    this.#desk.done(say("ann.edited"));
    this.#desk.go(`/announcements/${segment(id)}`);
  }
}

/** The draft as it would look; times and audience do not show. */
function contentShown({ title, text, url, level, putAway }: Draft): Seen {
  return { title, text, url, level, dismissible: putAway === "dismissible", mandatory: putAway === "mandatory" };
}
