/** What a `<script>` tag gets as the global `Belfry`. */
export { boardsOf } from "./boards.js";
export * from "./index.js";
