/** The one file for a page's `<script type="module">`: the elements, registered, and what they are made with. */
export { BelfryRefusal, connect, webAddress } from "belfry-client";
export * from "./index.js";
