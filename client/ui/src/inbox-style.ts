import { css } from "lit";

/** How the inbox looks around its rows. */
export const inboxStyle = css`
  :host {
    display: block;
    block-size: var(--belfry-inbox-height, 34rem);
    min-block-size: 0;
  }

  .inbox {
    position: relative;
    display: flex;
    flex-direction: column;
    block-size: 100%;
    overflow: hidden;
    background: var(--_surface);
    border-radius: inherit;
  }

  .bar {
    flex: none;
    display: flex;
    align-items: center;
    gap: 0.5rem;
    padding: 0.35rem 0.6rem;
    border-block-end: 1px solid var(--_line);
  }

  .tabs {
    flex: 1;
    min-inline-size: 0;
    display: flex;
    gap: 0.15rem;
    overflow-x: auto;
    scrollbar-width: none;
    padding: 3px;
    margin: -3px;
  }

  .tab {
    flex: none;
    padding: 0.32rem 0.65rem;
    border-radius: 8px;
    color: var(--_soft);
    font-size: 0.9333em;
    font-weight: 550;
    white-space: nowrap;
    transition: background-color 0.12s, color 0.12s;
  }

  .tab:hover {
    color: var(--_ink);
  }

  .tab[aria-selected="true"] {
    background: color-mix(in srgb, var(--_ink) 8%, transparent);
    color: var(--_ink);
  }

  .tab .count {
    display: inline-block;
    margin-inline-start: 0.4em;
    color: var(--_accent);
    font-weight: 650;
    font-variant-numeric: tabular-nums;
  }

  .read-all {
    font-size: 1.0667em;
  }

  .scroller {
    flex: 1;
    min-block-size: 0;
    position: relative;
    overflow-y: auto;
    overscroll-behavior: contain;
    overflow-anchor: none;
    scrollbar-width: thin;
    scrollbar-color: color-mix(in srgb, var(--_ink) 24%, transparent) transparent;
  }

  .scroller:focus-visible {
    outline-offset: -2px;
  }

  ul {
    position: relative;
    contain: layout style;
  }

  .notice {
    flex: none;
    display: flex;
    align-items: center;
    gap: 0.6rem;
    padding: 0.6rem 1rem;
    background: color-mix(in srgb, var(--_warning) 10%, var(--_surface));
    border-block-end: 1px solid var(--_line);
    font-size: 0.9333em;
  }

  .notice .icon {
    color: var(--_warning);
  }

  .notice.stopped {
    background: color-mix(in srgb, var(--_critical) 9%, var(--_surface));
    padding-block: 0.85rem;
    flex-wrap: wrap;
  }

  .notice.stopped .icon {
    align-self: start;
    margin-block-start: 0.1em;
    color: var(--_critical);
  }

  .notice .words {
    flex: 1 1 10rem;
    min-inline-size: 0;
    overflow-wrap: anywhere;
  }

  .end {
    display: grid;
    justify-items: center;
    gap: 0.6rem;
    min-block-size: 3.2rem;
    padding: 0.9rem 1rem;
    align-content: center;
    color: var(--_soft);
    font-size: 0.9333em;
    text-align: center;
  }

  .end strong {
    display: block;
    color: var(--_ink);
  }

  .empty {
    display: grid;
    justify-items: center;
    gap: 0.3rem;
    padding: 3.5rem 2rem 2rem;
    color: var(--_soft);
    text-align: center;
    text-wrap: balance;
  }

  .empty .picture {
    display: grid;
    place-items: center;
    inline-size: 3.5rem;
    block-size: 3.5rem;
    margin-block-end: 0.7rem;
    border-radius: 50%;
    background: var(--_wash);
    color: var(--_accent);
    font-size: 1.4667em;
  }

  .empty .title {
    color: var(--_ink);
    font-size: 1.0667em;
    font-weight: 600;
  }

  .ghost {
    display: grid;
    grid-template-columns: 2.5rem 1fr;
    column-gap: 0.8rem;
    row-gap: 0.5rem;
    padding: 0.9rem 1rem;
    animation: breathe 1.6s ease-in-out infinite;
  }

  .ghost i {
    grid-row: span 2;
    inline-size: 2.5rem;
    block-size: 2.5rem;
    border-radius: 50%;
  }

  .ghost i,
  .ghost span {
    background: color-mix(in srgb, var(--_ink) 8%, transparent);
  }

  .ghost span {
    block-size: 0.8rem;
    border-radius: 4px;
  }

  .ghost span:last-child {
    inline-size: 62%;
  }

  @keyframes breathe {
    50% {
      opacity: 0.45;
    }
  }
`;
