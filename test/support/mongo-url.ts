import { randomUUID } from "node:crypto";

/** A database of its own on the run's MongoDB, which `npm test` starts. @throws Error when the test was started without it. */
export function mongoUrl(name: string): string {
  const base = process.env.TEST_MONGODB_URL;
  if (base === undefined) throw new Error("There is no TEST_MONGODB_URL: run the tests by `npm test`, which gets a MongoDB for itself.");
  const url = new URL(base);
  url.pathname = `/${name}-${randomUUID().slice(0, 8)}`;
  return url.toString();
}
