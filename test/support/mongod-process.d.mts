/** The name of every replica set. */
export declare const SET: string;

/** A mongod process with data of its own. */
export interface MongodProcess {
  readonly port: number;
  /** Where a program connects; names no database. */
  readonly url: string;
  readonly pid: number;
  /** Whether it runs and is not frozen. */
  readonly responsive: boolean;
  /** Lets it stand still, with its connections open, as a machine that hangs does. */
  freeze(): void;
  /** Lets it go on where it stood still. */
  thaw(): void;
  /** Ends it as a power cut would; the data stays. */
  kill9(): Promise<void>;
  /** Starts it again on the same port and data, and waits until it takes writes, or answers where it is not initiated here. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export type MongodKind = "primary" | "uninitiated" | "standalone";

export function launchMongod(binary: string, kind?: MongodKind, parameters?: Record<string, number>): Promise<MongodProcess>;
