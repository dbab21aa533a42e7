/** Sources are TypeScript ES modules; swc strips the types, tsc checks them in `npm run typecheck`. */
export default {
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  transform: { "^.+\\.ts$": ["@swc/jest", { jsc: { target: "es2022", parser: { syntax: "typescript" } }, module: { type: "es6" } }] },
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  modulePathIgnorePatterns: ["<rootDir>/dist/"],
  testTimeout: 30_000,
  testSequencer: "<rootDir>/test/support/sequencer.mjs",
  // Most tests wait for processes most of the time.
  maxWorkers: 3,
};
