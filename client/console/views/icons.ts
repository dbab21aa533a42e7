import { html, type TemplateResult } from "lit/html.js";

/** The drawings that `icon` refers to. */
export function icons(): TemplateResult {
  return html`<svg width="0" height="0" class="drawings" aria-hidden="true">
    <symbol id="i-bell" viewBox="0 0 20 20">
      <path d="M10 2.6a4.9 4.9 0 0 0-4.9 4.9c0 4-1.7 5.3-1.7 6.4h13.2c0-1.1-1.7-2.4-1.7-6.4A4.9 4.9 0 0 0 10 2.6ZM8 16.4a2 2 0 0 0 4 0" />
    </symbol>
    <symbol id="i-chart" viewBox="0 0 20 20"><path d="M3 17h14M5.5 14V9.5M10 14V4.5M14.5 14V7.5" /></symbol>
    <symbol id="i-horn" viewBox="0 0 20 20">
      <path d="M3.2 8.2v3.6h2.6l7 3.6V4.6l-7 3.6H3.2ZM15.4 7.6a3.4 3.4 0 0 1 0 4.8M6.6 12l.9 4h2l-.7-2.9" />
    </symbol>
    <symbol id="i-people" viewBox="0 0 20 20">
      <path d="M7.4 9.4a2.9 2.9 0 1 0 0-5.8 2.9 2.9 0 0 0 0 5.8ZM2.4 16.4c0-2.6 2.2-4.3 5-4.3s5 1.7 5 4.3M13 9.2a2.5 2.5 0 0 0 0-5M14.4 12.3c2 .4 3.3 1.9 3.3 4.1" />
    </symbol>
    <symbol id="i-log" viewBox="0 0 20 20"><path d="M5 2.8h7.5L15.5 6v11.2H5V2.8ZM7.6 8.4h5.2M7.6 11.2h5.2M7.6 14h3.2" /></symbol>
    <symbol id="i-ask" viewBox="0 0 20 20">
      <path d="M10 17.4a7.4 7.4 0 1 0 0-14.8 7.4 7.4 0 0 0 0 14.8ZM7.8 7.9c.2-1.3 1-2 2.3-2 1.2 0 2.2.7 2.2 1.9 0 1.7-2.3 1.8-2.3 3.5M10 13.9v.2" />
    </symbol>
    <symbol id="i-out" viewBox="0 0 20 20"><path d="M8 3.4H3.8v13.2H8M12.4 6.4 16 10l-3.6 3.6M16 10H7.6" /></symbol>
  </svg>`;
}
