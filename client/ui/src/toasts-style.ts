import { css } from "lit";

/** How toasts look and where they stand. */
export const toastsStyle = css`
  :host {
    display: contents;
  }

  .layer {
    position: fixed;
    z-index: 2147483000;
    inset: auto;
    inset-block-end: var(--belfry-toasts-inset, 1rem);
    inset-inline-end: 1rem;
    display: none;
    gap: 0.6rem;
    inline-size: min(24rem, calc(100vw - 2rem));
    block-size: auto;
    max-block-size: calc(100dvh - 2rem);
    margin: 0;
    padding: 0;
    border: 0;
    overflow: visible;
    background: none;
    color: inherit;
  }

  .layer:has(.toast) {
    display: grid;
  }

  :host([position^="top"]) .layer {
    inset-block: var(--belfry-toasts-inset, 1rem) auto;
  }

  :host([position$="start"]) .layer {
    inset-inline: 1rem auto;
  }

  .toast {
    position: relative;
    overflow: hidden;
    border-radius: var(--_radius);
    background: var(--_surface);
    box-shadow: var(--_shadow);
    animation: come 0.28s cubic-bezier(0.2, 0.9, 0.3, 1);
  }

  .main {
    display: flex;
    gap: 0.75rem;
    inline-size: 100%;
    padding: 0.8rem 1rem;
    padding-inline-end: 2.75rem;
    color: inherit;
    text-decoration: none;
    line-height: 1.4;
  }

  .main:focus-visible {
    outline-offset: -3px;
    border-radius: var(--_radius);
  }

  .what {
    flex: 1;
    min-inline-size: 0;
    display: grid;
    gap: 0.1rem;
    overflow-wrap: anywhere;
  }

  .tool {
    position: absolute;
    inset-block-start: 0.4rem;
    inset-inline-end: 0.4rem;
  }

  .stopped {
    background: color-mix(in srgb, var(--_critical) 10%, var(--_surface));
  }

  .stopped .main > .icon {
    margin-block-start: 0.1em;
    color: var(--_critical);
  }

  .more {
    justify-self: end;
    padding: 0.15rem 0.7rem;
    border-radius: 999px;
    background: var(--_surface);
    box-shadow: var(--_shadow);
    color: var(--_soft);
    font-size: 0.8667em;
    font-weight: 550;
  }

  @keyframes come {
    from {
      opacity: 0;
      transform: translateY(10px) scale(0.98);
    }
  }
`;
