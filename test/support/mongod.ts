import { launchMongod, type MongodKind, type MongodProcess } from "./mongod-process.mjs";

export type { MongodProcess } from "./mongod-process.mjs";

/** A mongod for one test alone, which may kill it. @throws Error when the test was started without a binary. */
export function startMongod(kind: MongodKind = "primary", parameters: Record<string, number> = {}): Promise<MongodProcess> {
  const binary = process.env.TEST_MONGOD_BINARY;
  if (binary === undefined)
    throw new Error("There is no TEST_MONGOD_BINARY: run the tests by `npm test`, which gets a MongoDB for itself.");
  return launchMongod(binary, kind, parameters);
}
