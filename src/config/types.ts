import type { KeyObject } from "node:crypto";

/** How member tokens are verified; exactly one way is configured. */
export type TokenKeys =
  | { kind: "secret"; secret: Uint8Array }
  | { kind: "public-key"; key: KeyObject; algorithm: "RS256" | "ES256" }
  | { kind: "jwks"; url: URL };

/** A host name or address (an IPv6 one without brackets) and a port. */
export interface HostPort {
  host: string;
  port: number;
}

/** The Redis that REDIS_URL names. Null credentials: none are given. */
export type RedisTarget = { tls: boolean; username: string | null; password: string | null } & (
  | { kind: "single"; server: HostPort }
  /** `master`: the name under which the Sentinels watch it. */
  | { kind: "sentinel"; sentinels: HostPort[]; master: string }
  /** `seeds`: some of its nodes; these tell the others. */
  | { kind: "cluster"; seeds: HostPort[] }
);

/** A certificate with its chain, and the key to it, as texts in PEM, and where they were read from. */
export interface TlsPair {
  certFile: string;
  keyFile: string;
  cert: string;
  key: string;
  /** When the certificate expires. */
  validTo: Date;
}

/** How members' devices are told while no page is open. */
export interface PushConfig {
  /** Whom a push service can turn to: a `mailto:` or `https:` address. */
  subject: string;
  /** For how long a connected member may leave a notification unseen. Milliseconds. */
  afterMs: number;
  /** Whether push services may stand at addresses that are not public. */
  allowPrivate: boolean;
}

/** Everything that an operator can set, checked at start. docs/OPERATIONS.md lists names, defaults and limits. */
export interface Config {
  port: number;
  host: string;
  /** Null: plain HTTP. */
  tls: TlsPair | null;
  dataDir: string;
  mongodbUrl: string | null;
  /** What joins this node to others; null: it is the only one. */
  redis: RedisTarget | null;
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
  /** Where traces go, without the path of their kind; null: there are none. */
  otlpEndpoint: URL | null;
  production: boolean;
  /** Web push; null: there is none. */
  push: PushConfig | null;
  /** Without a sign of life for so long the process is ended by its guardian. Milliseconds; 0: there is none. */
  watchdogMs: number;
  /** Trimming: an entry goes when it is older than `keepDays` days, or when more than `keepEntries` of its stream are newer. 0: never. */
  keepDays: number;
  keepEntries: number;
}
