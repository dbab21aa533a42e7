import { describeSeeds } from "../support/seeds-suite.js";

describeSeeds("three nodes whose Redis is found and failed over by Sentinels, under random faults", "sentinel", 1);
