import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { default: Sequencer } = require("@jest/test-sequencer");

/** Folders from what takes longest to what takes no time. */
const ORDER = ["/test/cluster/", "/test/contract/", "/test/e2e/", "/test/unit/"];

const rank = ({ path }) => ORDER.findIndex((folder) => path.includes(folder));

/** Runs slow tests first, also where nothing is known of earlier runs, so that the last minutes are not one slow test's. */
export default class SlowFirst extends Sequencer {
  sort(tests) {
    const byDuration = super.sort(tests);
    return [...byDuration].sort((one, other) => rank(one) - rank(other));
  }
}
