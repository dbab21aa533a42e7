/** A mongod process with data of its own. */
export interface MongodProcess {
  readonly port: number;
  /** Where a program connects; names no database. */
  readonly url: string;
  readonly pid: number;
  /** Ends it as a power cut would; the data stays. */
  kill9(): Promise<void>;
  /** Starts it again on the same port and data, and waits until it takes writes. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export function launchMongod(binary: string, kind?: "primary" | "uninitiated" | "standalone"): Promise<MongodProcess>;
