import { css } from "lit";

/** How somebody looks: the disc, and the sign on it. Rows and toasts have it. */
export const personStyle = css`
  .person {
    position: relative;
    flex: none;
    inline-size: 2.5rem;
    block-size: 2.5rem;
  }

  .disc {
    position: relative;
    display: grid;
    place-items: center;
    inline-size: 100%;
    block-size: 100%;
    overflow: hidden;
    border-radius: 50%;
    color: #fff;
    font-size: 1.0667em;
    font-weight: 600;
    line-height: 1;
    user-select: none;
  }

  .disc img {
    position: absolute;
    inset: 0;
    inline-size: 100%;
    block-size: 100%;
    object-fit: cover;
    background: var(--_sunken);
  }

  .c0 {
    background: var(--disc-0);
  }
  .c1 {
    background: var(--disc-1);
  }
  .c2 {
    background: var(--disc-2);
  }
  .c3 {
    background: var(--disc-3);
  }
  .c4 {
    background: var(--disc-4);
  }
  .c5 {
    background: var(--disc-5);
  }
  .c6 {
    background: var(--disc-6);
  }

  .disc.service {
    background: color-mix(in srgb, var(--_accent) 14%, var(--_surface));
    color: var(--_accent);
    font-size: 1.2em;
  }

  .failed .disc.service {
    background: color-mix(in srgb, var(--_critical) 14%, var(--_surface));
    color: var(--_critical);
  }

  .why {
    position: absolute;
    inset-block-end: -3px;
    inset-inline-end: -5px;
    display: grid;
    place-items: center;
    inline-size: 1.25rem;
    block-size: 1.25rem;
    border-radius: 50%;
    background: var(--_surface);
    color: var(--_accent);
    font-size: 0.75em;
  }

  .why .icon {
    stroke-width: 2.1;
  }

  :dir(rtl) .why .icon {
    transform: scaleX(-1);
  }

  .sentence {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
    line-clamp: 3;
    overflow: hidden;
    unicode-bidi: plaintext;
    color: var(--_ink);
    overflow-wrap: anywhere;
  }

  .what:dir(rtl) > * {
    text-align: right;
  }

  .sentence .who {
    font-weight: 650;
  }

  .sentence .thread {
    font-weight: 550;
  }

  .excerpt {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
    line-clamp: 2;
    overflow: hidden;
    color: var(--_soft);
    overflow-wrap: anywhere;
    white-space: pre-line;
  }

  time {
    color: var(--_soft);
    font-size: 0.8667em;
  }
`;

/** How rows look. */
export const rowStyle = css`
  .row {
    position: absolute;
    inset-block-start: 0;
    inset-inline: 0;
    display: block;
    border-block-end: 1px solid var(--_line);
  }

  .row.child {
    background: var(--_sunken);
  }

  .main {
    display: flex;
    gap: 0.8rem;
    inline-size: 100%;
    padding-block: 0.8rem;
    padding-inline: 1rem 2.1rem;
    color: var(--_soft);
    text-decoration: none;
    line-height: 1.4;
  }

  .child .main {
    padding-inline-start: 2.4rem;
  }

  .child .person {
    inline-size: 2rem;
    block-size: 2rem;
    font-size: 0.8667em;
  }

  /* Their group says why. */
  .child .why {
    display: none;
  }

  .row:has(.expand) .main {
    padding-block-end: 2.35rem;
  }

  .row:hover .main {
    background: color-mix(in srgb, var(--_ink) 3.5%, transparent);
  }

  .main:focus-visible {
    outline-offset: -3px;
    border-radius: 10px;
  }

  .what {
    flex: 1;
    min-inline-size: 0;
    display: grid;
    gap: 0.12rem;
    justify-items: start;
  }

  .row:not(.unread) .sentence {
    color: color-mix(in srgb, var(--_ink) 82%, var(--_soft));
  }

  .row:not(.unread) .sentence .who {
    font-weight: 550;
  }

  .unread {
    background: var(--_wash);
  }

  .dot {
    position: absolute;
    inset-block-start: 1.3rem;
    inset-inline-end: 0.9rem;
    inline-size: 0.55rem;
    block-size: 0.55rem;
    border-radius: 50%;
    background: var(--_accent);
    opacity: 0;
    transition: opacity 0.3s;
  }

  .unread .dot {
    opacity: 1;
  }

  .tools {
    position: absolute;
    inset-block-end: 0.5rem;
    inset-inline-end: 0.5rem;
    display: flex;
    gap: 1px;
    padding: 2px;
    border-radius: 10px;
    background: var(--_surface);
    box-shadow: 0 0 0 1px var(--_line), 0 2px 6px rgb(0 0 0 / 8%);
    opacity: 0;
    pointer-events: none;
    transition: opacity 0.12s;
  }

  .row:hover .tools,
  .row:has(:focus-visible) .tools {
    opacity: 1;
    pointer-events: auto;
  }

  .expand {
    position: absolute;
    inset-block-end: 0.6rem;
    inset-inline-start: 3.9rem;
    display: flex;
    align-items: center;
    gap: 0.25em;
    max-inline-size: calc(100% - 9.5rem);
    padding: 0.15em 0.4em;
    border-radius: 6px;
    color: var(--_accent);
    font-size: 0.8667em;
    font-weight: 600;
  }

  .expand:hover {
    background: var(--_wash);
  }

  .expand .icon {
    transition: transform 0.16s;
  }

  .expand[aria-expanded="true"] .icon {
    transform: rotate(180deg);
  }

  /* Where nothing hovers, the tools stand under the text and are large enough for a finger. */
  @media (hover: none) {
    .row .tools {
      inset-block-end: 0.3rem;
      background: none;
      box-shadow: none;
      opacity: 1;
      pointer-events: auto;
    }

    .main {
      padding-block-end: 1.1rem;
    }
  }
`;
