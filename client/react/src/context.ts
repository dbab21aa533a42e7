import { type Belfry, connect } from "belfry-client";
import { createContext, createElement, type ReactElement, type ReactNode, useContext, useEffect, useRef, useState } from "react";

const Client = createContext<Belfry | null>(null);

/** Either a `client` of `connect()`, or what makes one. */
export type BelfryProviderProps = { children?: ReactNode } & (
  | { client: Belfry | null; url?: never; token?: never }
  | {
      client?: never;
      /** The service; empty: the page's own origin. */
      url: string;
      /** A token of the signed-in member, or what gives one: it is asked again whenever the last one ends. Null: nobody is signed in. */
      token: string | (() => string | Promise<string>) | null;
    }
);

/**
 * Gives a client to all below it. One that it makes itself is closed with it, and made anew when `url` changes, the text `token` changes, or
 * somebody signs in or out; a new function in place of another one is taken as the same source.
 */
export function BelfryProvider({ client, url, token, children }: BelfryProviderProps): ReactElement {
  const own = useOwnClient(client === undefined ? (url ?? "") : null, token ?? null);
  return createElement(Client, { value: client === undefined ? own : client }, children);
}

/** The client; null on a server, before the first effect, and where nobody is signed in. */
export function useBelfry(): Belfry | null {
  return useContext(Client);
}

function useOwnClient(url: string | null, token: string | (() => string | Promise<string>) | null): Belfry | null {
  const [client, setClient] = useState<Belfry | null>(null);
  const source = useRef(token);
  useEffect(() => {
    source.current = token;
  });
  const identity = typeof token === "function" ? "function" : token;
  useEffect(() => {
    if (url === null || identity === null) return;
    const made = connect({ url, token: typeof source.current === "function" ? () => ask(source.current) : identity });
    setClient(made);
    return () => {
      setClient(null);
      made.close();
    };
  }, [url, identity]);
  return client;
}

function ask(source: string | (() => string | Promise<string>) | null): string | Promise<string> {
  if (source === null) throw new Error("Nobody is signed in.");
  return typeof source === "function" ? source() : source;
}
