/** Where a service is, as socket.io-client wants to have it. */
export interface Address {
  readonly origin: string;
  /** Of the Socket.IO endpoint. */
  readonly path: string;
}

/**
 * Reads `ConnectOptions.url` without `URL`, which React Native has only in parts. Null: it is no address of a service.
 * @param page the origin of the page, for an empty url
 */
export function addressOf(url: string, page = ""): Address | null {
  const [, origin, path = ""] = /^(https?:\/\/[^\s/?#@]+)(\/[^\s?#]*?)?\/*$/i.exec(url || page) ?? [];
  return origin === undefined ? null : { origin, path: `${path}/socket.io/` };
}
