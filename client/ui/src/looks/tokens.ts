import { css } from "lit";

/** Names of this file that start with `--_` are the elements' own; those of the page, `--belfry-…`, are listed in docs/UI.md. */
const LIGHT = css`
  color-scheme: light;
  --_surface: var(--belfry-surface, #ffffff);
  --_sunken: var(--belfry-sunken, #f5f6f6);
  --_ink: var(--belfry-ink, #1b1f1e);
  --_soft: var(--belfry-soft, #5c6664);
  --_line: var(--belfry-line, #e3e7e6);
  --_accent: var(--belfry-accent, #0f6b5c);
  --_on-accent: var(--belfry-on-accent, #ffffff);
  --_badge: var(--belfry-badge, #c2341b);
  --_on-badge: var(--belfry-on-badge, #ffffff);
  --_warning: var(--belfry-warning, #8a5300);
  --_critical: var(--belfry-critical, #b3261e);
  --_shadow: var(--belfry-shadow, 0 0 0 1px rgb(20 40 36 / 6%), 0 2px 6px rgb(20 40 36 / 6%), 0 18px 48px -8px rgb(20 40 36 / 24%));
  --disc-0: #2f6f9f;
  --disc-1: #8a4a9e;
  --disc-2: #a5482f;
  --disc-3: #3d7a3a;
  --disc-4: #7a6220;
  --disc-5: #4d5bb0;
  --disc-6: #9d3d6a;
`;

const DARK = css`
  color-scheme: dark;
  --_surface: var(--belfry-surface, #1c1f20);
  --_sunken: var(--belfry-sunken, #26292a);
  --_ink: var(--belfry-ink, #eceeed);
  --_soft: var(--belfry-soft, #a5afac);
  --_line: var(--belfry-line, #343939);
  --_accent: var(--belfry-accent, #6fcdb9);
  --_on-accent: var(--belfry-on-accent, #06241e);
  --_badge: var(--belfry-badge, #ff7a62);
  --_on-badge: var(--belfry-on-badge, #2b0a04);
  --_warning: var(--belfry-warning, #f0b860);
  --_critical: var(--belfry-critical, #ff8f84);
  --_shadow: var(--belfry-shadow, 0 0 0 1px rgb(255 255 255 / 8%), 0 2px 6px rgb(0 0 0 / 40%), 0 18px 48px -8px rgb(0 0 0 / 70%));
  --disc-0: #3b7cad;
  --disc-1: #9a5bae;
  --disc-2: #b45a40;
  --disc-3: #4a8646;
  --disc-4: #87702c;
  --disc-5: #6471c4;
  --disc-6: #ae4f7c;
`;

/** Colours and measures of all elements: light and dark, by the attribute `theme` or by what the member prefers. */
export const tokens = css`
  :host {
    ${LIGHT}
    --_radius: var(--belfry-radius, 14px);
    --_font: var(--belfry-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", sans-serif);
    --_size: var(--belfry-font-size, 15px);
    --_wash: color-mix(in srgb, var(--_accent) 8%, transparent);
    --_ring: var(--_accent);
    font: 400 var(--_size) / 1.45 var(--_font);
    color: var(--_ink);
    text-align: start;
    -webkit-font-smoothing: antialiased;
  }

  @media (prefers-color-scheme: dark) {
    :host(:not([theme="light"])) {
      ${DARK}
    }
  }

  :host([theme="dark"]) {
    ${DARK}
  }
`;

/** What the elements have in common: boxes, buttons, icons, focus. */
export const shared = css`
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  :host([hidden]),
  [hidden] {
    display: none !important;
  }

  h2,
  h3,
  p,
  ul {
    margin: 0;
    padding: 0;
  }

  ul {
    list-style: none;
  }

  /* Each text in the direction of its own language, at the side where the page's texts begin. */
  h2,
  h3,
  p,
  strong,
  time {
    unicode-bidi: plaintext;
  }

  :is(.what, .words, .head):dir(rtl) > * {
    text-align: right;
  }

  button {
    margin: 0;
    padding: 0;
    border: 0;
    background: none;
    color: inherit;
    font: inherit;
    text-align: inherit;
    cursor: pointer;
    -webkit-tap-highlight-color: transparent;
  }

  a {
    color: inherit;
    -webkit-tap-highlight-color: transparent;
  }

  :focus {
    outline: none;
  }

  :focus-visible {
    outline: 2px solid var(--_ring);
    outline-offset: 2px;
  }

  .icon {
    flex: none;
    display: block;
    width: 1.25em;
    height: 1.25em;
    fill: none;
    stroke: currentcolor;
    stroke-width: 1.7;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .tool {
    flex: none;
    display: grid;
    place-items: center;
    inline-size: 2rem;
    block-size: 2rem;
    border-radius: 8px;
    color: var(--_soft);
    transition: background-color 0.12s, color 0.12s;
  }

  .tool:hover:not([aria-disabled="true"]) {
    background: color-mix(in srgb, var(--_ink) 8%, transparent);
    color: var(--_ink);
  }

  .tool[aria-disabled="true"] {
    opacity: 0.4;
    cursor: default;
  }

  .act {
    padding: 0.4em 0.9em;
    border-radius: 8px;
    background: color-mix(in srgb, var(--_ink) 8%, transparent);
    font-weight: 600;
    font-size: 0.9333em;
    line-height: 1.4;
    transition: background-color 0.12s;
  }

  .act:hover {
    background: color-mix(in srgb, var(--_ink) 13%, transparent);
  }

  .act.main {
    background: var(--_accent);
    color: var(--_on-accent);
  }

  .act.main:hover {
    background: color-mix(in srgb, var(--_accent) 88%, var(--_ink));
  }

  .act[aria-disabled="true"] {
    opacity: 0.55;
    cursor: progress;
  }

  .spoken {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation-duration: 0.01ms !important;
      animation-iteration-count: 1 !important;
      transition-duration: 0.01ms !important;
    }
  }

  @media (forced-colors: active) {
    .tool,
    .act {
      border: 1px solid ButtonText;
    }
  }
`;
