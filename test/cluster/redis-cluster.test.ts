import { describeSeeds } from "../support/seeds-suite.js";

describeSeeds("three nodes on a Redis Cluster of three masters, under random faults", "cluster", 1);
