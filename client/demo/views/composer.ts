import { html, nothing, type TemplateResult } from "lit/html.js";
import { type Comment, MAX_TEXT_LENGTH, type Member, type Thread } from "../api.js";
import type { ThreadParts } from "../parts.js";
import { notice } from "./pieces.js";

/** Where a comment is written; `parent` is what it answers. */
export function composer(thread: Thread, parts: ThreadParts, parent: Comment | undefined): TemplateResult {
  const { draft, members, me, memberOf, write } = parts;
  const submit = (event: Event): void => {
    event.preventDefault();
    parts.send();
  };
  return html`<form class="composer" @submit=${submit}>
    ${
      parent
        ? html`<p class="replying">
            Replying to ${memberOf(parent.author).name}
            <button type="button" class="link" @click=${() => write({ parent: null })}>cancel</button>
          </p>`
        : nothing
    }
    <div class="box">
      <textarea
        rows="1"
        maxlength=${MAX_TEXT_LENGTH}
        required
        placeholder="Reply as ${memberOf(me).name}…"
        aria-label="Reply in ${thread.title}"
        .value=${draft.text}
        @focus=${() => write({ isOpen: true })}
        @input=${(event: InputEvent) => write({ text: (event.target as HTMLTextAreaElement).value })}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
        }}
      ></textarea>
      <button type="submit" class="primary" ?disabled=${draft.isBusy}>Send</button>
    </div>
    ${notice(draft.problem)}
    ${draft.isOpen ? mentions(members, me, (name) => write({ text: withMention(draft.text, name) })) : nothing}
  </form>`;
}

function mentions(members: readonly Member[], me: string, call: (name: string) => void): TemplateResult {
  return html`<p class="mentions">
    ${members
      .filter(({ id }) => id !== me)
      .map(
        ({ name }) => html`<button type="button" class="chip" aria-label="Mention ${name}" @click=${() => call(name)}>@${name}</button>`,
      )}
    <span class="hint">Enter sends, Shift+Enter makes a line</span>
  </p>`;
}

function withMention(text: string, name: string): string {
  return `${text}${text === "" || /\s$/.test(text) ? "" : " "}@${name} `;
}
