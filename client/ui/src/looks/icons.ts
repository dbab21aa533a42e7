import { html, type SVGTemplateResult, svg, type TemplateResult } from "lit";

/** Drawn on a grid of 24, in strokes of the text's colour. */
const SHAPES = {
  bell: svg`<path d="M6.2 17.2h11.6c-.9-1-1.5-2.2-1.5-3.9v-2.8a4.3 4.3 0 0 0-8.6 0v2.8c0 1.7-.6 2.9-1.5 3.9Z"/><path d="M12 4.6v1.6"/><path d="M10.2 20a2 2 0 0 0 3.6 0"/>`,
  close: svg`<path d="m7 7 10 10M17 7 7 17"/>`,
  check: svg`<path d="m5.5 12.5 4.2 4.3 8.8-9.4"/>`,
  checkAll: svg`<path d="m3 12.8 3.8 3.9 7.6-8.6"/><path d="m11.6 15.6 1.2 1.1 8-8.9"/>`,
  archive: svg`<rect x="3.8" y="5" width="16.4" height="4.2" rx="1.2"/><path d="M5.4 9.4v7.9c0 1 .7 1.7 1.7 1.7h9.8c1 0 1.7-.7 1.7-1.7V9.4M10 13h4"/>`,
  unarchive: svg`<path d="M5.4 10.4v6.9c0 1 .7 1.7 1.7 1.7h9.8c1 0 1.7-.7 1.7-1.7v-6.9"/><path d="M12 14.6V4.8m-3.6 3.4L12 4.6l3.6 3.6"/>`,
  unread: svg`<circle cx="12" cy="12" r="4.4" fill="currentcolor"/>`,
  chevron: svg`<path d="m7.5 10 4.5 4.5 4.5-4.5"/>`,
  mention: svg`<circle cx="12" cy="12" r="3.6"/><path d="M15.6 8.6v4.6a2.4 2.4 0 0 0 4.8 0V12a8.4 8.4 0 1 0-3.4 6.8"/>`,
  reply: svg`<path d="M9.4 6.4 4.8 11l4.6 4.6"/><path d="M5.2 11h8.6a5.4 5.4 0 0 1 5.4 5.4v1.2"/>`,
  quote: svg`<path d="M10 7.5c-3 .8-4.6 2.9-4.6 6v3h4.8v-4.6H7.6M19 7.5c-3 .8-4.6 2.9-4.6 6v3h4.8v-4.6h-2.6"/>`,
  comment: svg`<path d="M5.6 5.4h12.8c1 0 1.8.8 1.8 1.8v7.4c0 1-.8 1.8-1.8 1.8h-6.6l-4 3.4v-3.4H5.6c-1 0-1.8-.8-1.8-1.8V7.2c0-1 .8-1.8 1.8-1.8Z"/>`,
  watching: svg`<path d="M3 12s3.2-5.8 9-5.8S21 12 21 12s-3.2 5.8-9 5.8S3 12 3 12Z"/><circle cx="12" cy="12" r="2.4"/>`,
  message: svg`<rect x="3.6" y="5.8" width="16.8" height="12.4" rx="2"/><path d="m4.4 7.6 7.6 5.8 7.6-5.8"/>`,
  task: svg`<path d="m5.5 12.5 4.2 4.3 8.8-9.4"/>`,
  failed: svg`<path d="M12 6.4v7M12 17.4v.2"/>`,
  direct: svg`<path d="M12 4.2 14 10l5.8 2-5.8 2-2 5.8-2-5.8-5.8-2L10 10Z"/>`,
  info: svg`<circle cx="12" cy="12" r="8.4"/><path d="M12 11.2v5M12 7.8v.2"/>`,
  warning: svg`<path d="M12 4.4 21 19.2H3Z"/><path d="M12 10.2v4M12 16.6v.2"/>`,
  critical: svg`<path d="M8.4 3.6h7.2l4.8 4.8v7.2l-4.8 4.8H8.4l-4.8-4.8V8.4Z"/><path d="M12 7.8v5.2M12 16v.2"/>`,
  offline: svg`<path d="M4 4.6 19.4 20M8.2 8.8A5.6 5.6 0 0 0 7 19.2h9.8M11 7.5a5.7 5.7 0 0 1 7 5.1 3.4 3.4 0 0 1 1.8 5.4"/>`,
  stopped: svg`<circle cx="12" cy="12" r="8.4"/><path d="m6.2 6.2 11.6 11.6"/>`,
  inbox: svg`<path d="M4 13.4 6.4 6c.2-.7.8-1.2 1.6-1.2h8c.8 0 1.4.5 1.6 1.2l2.4 7.4v4c0 1-.8 1.8-1.8 1.8H5.8c-1 0-1.8-.8-1.8-1.8Z"/><path d="M4.2 13.4h4.2c.3 1.7 1.7 2.8 3.6 2.8s3.3-1.1 3.6-2.8h4.2"/>`,
} satisfies Record<string, SVGTemplateResult>;

/** The name of an icon. */
export type IconName = keyof typeof SHAPES;

/** An icon the size of its surroundings' text. It says nothing to those who listen: what it stands for is said in words. */
export function icon(name: IconName): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false" part="icon">${SHAPES[name]}</svg>`;
}

/** The small sign of why a member is told; unknown reasons have one too. */
export function reasonIcon(type: string, reason: string, hasFailed: boolean): IconName {
  if (type === "task") return hasFailed ? "failed" : "task";
  if (type === "message") return "message";
  return reason === "mention" || reason === "reply" || reason === "quote" || reason === "comment" || reason === "watching"
    ? reason
    : "direct";
}
