import { describeSeeds } from "../support/seeds-suite.js";

// A seed fixes the faults, the part of the forum and what its members do. A failing one is run again by `npm run soak -- --seed N`.
describeSeeds("three nodes under random faults lose nothing, double nothing and agree in the end", "redis", 20);
