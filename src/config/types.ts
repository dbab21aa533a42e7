import type { KeyObject } from "node:crypto";

/** How member tokens are verified; exactly one way is configured. */
export type TokenKeys =
  | { kind: "secret"; secret: Uint8Array }
  | { kind: "public-key"; key: KeyObject; algorithm: "RS256" | "ES256" }
  | { kind: "jwks"; url: URL };

/** Everything that an operator can set, checked at start. docs/OPERATIONS.md lists names, defaults and limits. */
export interface Config {
  port: number;
  host: string;
  dataDir: string;
  mongodbUrl: string | null;
  apiKeys: string[];
  tokenKeys: TokenKeys;
  jwtIssuer: string | null;
  jwtAudience: string | null;
  /** Null refuses every Discourse hook. */
  discourseSecret: string | null;
  /** Origins of pages that may connect from a browser, besides the service's own; `*` allows all. */
  allowedOrigins: string[];
  /** What Express calls `trust proxy`. */
  trustProxy: boolean | number | string;
  sessionPolicy: "multi" | "single";
  /** Whether `/live` takes connections without a token, which see public topics only. */
  guests: boolean;
  demo: boolean;
  logLevel: "fatal" | "error" | "warn" | "info" | "debug" | "trace" | "silent";
  nodeName: string;
  production: boolean;
  /** Trimming: an entry goes when it is older than `keepDays` days, or when more than `keepEntries` of its stream are newer. 0: never. */
  keepDays: number;
  keepEntries: number;
}
