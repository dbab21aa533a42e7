import { css } from "lit";

/** How the bell, its panel and what floats look. */
export const bellStyle = css`
  :host {
    display: inline-block;
    vertical-align: middle;
  }

  .bell {
    position: relative;
    display: grid;
    place-items: center;
    inline-size: var(--belfry-bell-size, 2.6rem);
    block-size: var(--belfry-bell-size, 2.6rem);
    border-radius: 50%;
    color: var(--belfry-bell-color, var(--_ink));
    font-size: calc(var(--belfry-bell-size, 2.6rem) * 0.46);
    transition: background-color 0.15s;
  }

  .bell:hover,
  .bell[aria-expanded="true"] {
    background: color-mix(in srgb, currentcolor 10%, transparent);
  }

  .badge {
    position: absolute;
    inset-block-start: 0;
    inset-inline-start: 54%;
    min-inline-size: 1.25rem;
    block-size: 1.25rem;
    padding-inline: 0.32rem;
    display: grid;
    place-items: center;
    border-radius: 999px;
    background: var(--_badge);
    color: var(--_on-badge);
    box-shadow: 0 0 0 2px var(--belfry-bell-ground, var(--_surface));
    font-size: 0.75rem;
    font-weight: 700;
    line-height: 1;
    font-variant-numeric: tabular-nums;
    /* A page that breaks long words anywhere would break "99+" too. */
    white-space: nowrap;
  }

  .ringing {
    display: block;
    transform-origin: 50% 12%;
  }

  .rings {
    animation: ring 0.75s ease-out;
  }

  .mark {
    position: absolute;
    inset-block-end: 0.35rem;
    inset-inline-end: 0.35rem;
    display: none;
    inline-size: 10px;
    block-size: 10px;
    border-radius: 50%;
    box-shadow: 0 0 0 2px var(--belfry-bell-ground, var(--_surface));
  }

  .offline .mark {
    display: block;
    background: var(--belfry-bell-ground, var(--_surface));
    border: 2px solid var(--_warning);
  }

  .stopped .mark {
    display: block;
    background: var(--_critical);
  }

  .offline .icon,
  .stopped .icon {
    opacity: 0.6;
  }

  :host([position]) {
    position: fixed;
    z-index: 2147482000;
    inset: auto 1rem 1rem auto;
  }

  :host([position="top-end"]) {
    inset-block: 1rem auto;
    inset-inline: auto 1rem;
  }

  :host([position="top-start"]) {
    inset-block: 1rem auto;
    inset-inline: 1rem auto;
  }

  :host([position="bottom-end"]) {
    inset-block: auto 1rem;
    inset-inline: auto 1rem;
  }

  :host([position="bottom-start"]) {
    inset-block: auto 1rem;
    inset-inline: 1rem auto;
  }

  :host([position]) .bell {
    background: var(--_surface);
    box-shadow: var(--_shadow);
  }

  :host([position]) belfry-toasts {
    --belfry-toasts-inset: 5rem;
  }

  .panel {
    position: fixed;
    z-index: 2147483001;
    inset: auto;
    display: none;
    flex-direction: column;
    margin: 0;
    padding: 0;
    border: 0;
    overflow: hidden;
    border-radius: var(--_radius);
    background: var(--_surface);
    color: inherit;
    box-shadow: var(--_shadow);
  }

  :host([open]) .panel {
    display: flex;
    animation: drop 0.16s ease-out;
  }

  .panel:focus-visible {
    outline: none;
  }

  .head {
    flex: none;
    display: flex;
    align-items: center;
    justify-content: space-between;
    padding: 0.7rem 0.6rem 0.35rem;
    padding-inline-start: 1rem;
  }

  .title {
    font-size: 1.2em;
    font-weight: 680;
    letter-spacing: -0.01em;
    line-height: 1.3;
  }

  .above {
    flex: none;
    max-block-size: 50%;
    overflow-y: auto;
    overscroll-behavior: contain;
    scrollbar-width: thin;
  }

  /* Fades where there is more below. A box that does not scroll has no such timeline, and no fade. */
  @supports (animation-timeline: scroll()) {
    .above {
      animation: more-below linear;
      animation-timeline: scroll(self);
    }
  }

  @keyframes more-below {
    0%,
    95% {
      mask-image: linear-gradient(#000 calc(100% - 2.5rem), transparent);
    }
  }

  .panel belfry-inbox {
    flex: 1;
    min-block-size: 0;
    block-size: auto;
  }

  .empty {
    padding: 4rem 2rem;
    display: grid;
    justify-items: center;
    gap: 0.4rem;
    color: var(--_soft);
    text-align: center;
  }

  .empty .picture {
    font-size: 2em;
    color: var(--_critical);
  }

  .empty .title {
    color: var(--_ink);
    font-size: 1.0667em;
  }

  .offer {
    display: grid;
    gap: 0.6rem;
    padding: 0.85rem 1rem;
    border-block-end: 1px solid var(--_line);
    background: color-mix(in srgb, var(--_accent) 9%, var(--_surface));
  }

  .offer .acts {
    display: flex;
    flex-wrap: wrap;
    gap: 0.5rem;
  }

  .floating {
    position: fixed;
    z-index: 2147482999;
    inset: 0.75rem 0 auto;
    inline-size: min(40rem, calc(100vw - 1.5rem));
    block-size: auto;
    max-block-size: 60dvh;
    margin: 0 auto;
    padding: 0;
    border: 0;
    overflow-y: auto;
    border-radius: var(--_radius);
    background: var(--_surface);
    color: inherit;
    box-shadow: var(--_shadow);
    animation: drop 0.2s ease-out;
  }

  @keyframes drop {
    from {
      opacity: 0;
      transform: translateY(-6px);
    }
  }

  @keyframes ring {
    20% {
      rotate: 14deg;
    }
    40% {
      rotate: -11deg;
    }
    60% {
      rotate: 7deg;
    }
    80% {
      rotate: -4deg;
    }
  }
`;
