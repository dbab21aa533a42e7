import { repeat } from "lit/directives/repeat.js";
import { html, nothing, type TemplateResult } from "lit/html.js";
import { type Comment, MAX_TEXT_LENGTH, type Member, type Thread } from "../api.js";
import type { Change, ThreadParts } from "../parts.js";
import { branchesOf } from "../words.js";
import { composer } from "./composer.js";
import { disc, notice, said, time } from "./pieces.js";

/** Branches of a thread that are drawn unasked, the newest. Threat: a page that crawls under a thread of hundreds. */
const SHOWN_BRANCHES = 12;

export function threadCard(thread: Thread, parts: ThreadParts): TemplateResult {
  const { members, me, now, memberOf, isWhole } = parts;
  const author = memberOf(thread.author);
  const all = branchesOf(thread.comments);
  const branches = isWhole ? all : all.slice(-SHOWN_BRANCHES);
  const hidden = all.length - branches.length;
  const byId = new Map(thread.comments.map((comment) => [comment.id, comment]));
  const one = (comment: Comment): TemplateResult =>
    commentOf(comment, comment.parent === null ? undefined : byId.get(comment.parent), parts);
  return html`<article class="thread" id="thread-${thread.id}">
    <div class="post first">
      ${disc(author)}
      <div class="said">
        <h2>${thread.title}</h2>
        <p class="by"><strong>${author.name}</strong> ${time(thread.at, now)}</p>
        ${said(thread.text, members, me)}
      </div>
    </div>
    ${hidden > 0 ? html`<button type="button" class="link earlier" @click=${parts.showWhole}>Show ${hidden} earlier</button>` : nothing}
    <ol class="comments">
      ${repeat(
        branches,
        ({ comment }) => comment.id,
        ({ comment, answers }) =>
          html`<li>
            ${one(comment)}${
              answers.length === 0
                ? nothing
                : html`<ol class="answers">
                    ${repeat(
                      answers,
                      ({ id }) => id,
                      (answer) => html`<li>${one(answer)}</li>`,
                    )}
                  </ol>`
            }
          </li>`,
      )}
    </ol>
    ${composer(thread, parts, byId.get(parts.draft.parent ?? ""))}
  </article>`;
}

function commentOf(comment: Comment, parent: Comment | undefined, parts: ThreadParts): TemplateResult {
  const { members, me, now, change, memberOf } = parts;
  const author = memberOf(comment.author);
  const mine = change?.comment === comment.id ? change : null;
  return html`<div class="post ${parts.isFresh(comment.id) ? "fresh" : ""}" id="comment-${comment.id}" tabindex="-1">
    ${disc(author)}
    <div class="said">
      <p class="by">
        <strong>${author.name}</strong> ${parent ? html`<span class="to">to ${memberOf(parent.author).name}</span>` : nothing}
        ${time(comment.at, now)}${comment.editedAt ? html` <span class="edited">edited</span>` : nothing}
      </p>
      ${mine?.is === "editing" ? editor(mine, parts) : said(comment.text, members, me)}
      ${mine?.is === "deleting" ? question(mine, parts) : mine === null ? deeds(comment, author, parts) : nothing}
    </div>
  </div>`;
}

function deeds(comment: Comment, author: Member, parts: ThreadParts): TemplateResult {
  const about = `: ${comment.text.slice(0, 40)}`;
  return html`<p class="deeds">
    <button type="button" class="deed" aria-label="Reply to ${author.name}${about}" @click=${() => parts.answer(comment)}>Reply</button>
    ${
      comment.author === parts.me
        ? html`<button type="button" class="deed" aria-label="Edit${about}" @click=${() => parts.begin(comment, "editing")}>Edit</button>
            <button type="button" class="deed" aria-label="Delete${about}" @click=${() => parts.begin(comment, "deleting")}>Delete</button>`
        : nothing
    }
  </p>`;
}

function editor(change: Change, parts: ThreadParts): TemplateResult {
  const submit = (event: Event): void => {
    event.preventDefault();
    parts.end(true);
  };
  return html`<form class="editor" @submit=${submit}>
    <textarea
      rows="2"
      maxlength=${MAX_TEXT_LENGTH}
      required
      aria-label="Your comment"
      ?readonly=${change.isBusy}
      .value=${change.text}
      @input=${(event: InputEvent) => parts.rewrite((event.target as HTMLTextAreaElement).value)}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key === "Escape") parts.end(false);
        else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
      }}
    ></textarea>
    ${notice(change.problem)}
    <div class="send">
      <button type="button" class="quiet" @click=${() => parts.end(false)}>Cancel</button>
      <button type="submit" class="primary" ?disabled=${change.isBusy}>Save</button>
    </div>
  </form>`;
}

function question(change: Change, parts: ThreadParts): TemplateResult {
  return html`<div class="question">
    <span>Delete this comment? It goes from everybody’s bell too.</span>
    <button type="button" class="quiet" @click=${() => parts.end(false)}>Keep</button>
    <button type="button" class="primary danger" ?disabled=${change.isBusy} @click=${() => parts.end(true)}>Delete</button>
    ${notice(change.problem)}
  </div>`;
}
