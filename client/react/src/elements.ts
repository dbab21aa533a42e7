import type { Belfry, Filter } from "belfry-client";
// Registers the elements.
import "belfry-ui";
import type { Corner, OpenEvent, Theme, TokenSource } from "belfry-ui";
import { type CSSProperties, createElement, type ReactElement, type RefObject, useCallback, useEffect, useRef } from "react";
import { useBelfry } from "./context.js";

/** What all elements take. */
export interface ElementProps {
  /** Default: the one of the `BelfryProvider` above. */
  client?: Belfry;
  theme?: Theme;
  lang?: string;
  dir?: "ltr" | "rtl" | "auto";
  id?: string;
  className?: string;
  style?: CSSProperties;
}

/** What elements take that lead somewhere. */
export interface OpenProps {
  /** A notification was chosen. `event.preventDefault()`: lead there yourself, for example by your router. */
  onOpen?: (event: OpenEvent) => void;
}

export interface BellProps extends ElementProps, OpenProps {
  /** Without a provider: where the service is. */
  url?: string;
  token?: TokenSource;
  /** Where your server gives the token. */
  tokenUrl?: string;
  position?: Corner;
  /** Names of what is left out: `banner`, `toasts`, `tasks`. */
  hide?: string;
  sound?: boolean;
  /** Offers web push; the address of the service worker on the page's own origin, or "" for where it is by default. */
  push?: string;
  /** Whether the panel is open. The member opens and closes it too: what is given counts whenever it changes. */
  open?: boolean;
}

export interface InboxProps extends ElementProps, OpenProps {
  filter?: Filter;
}

export interface ToastsProps extends ElementProps, OpenProps {
  position?: Corner;
  sound?: boolean;
}

export interface BannerProps extends ElementProps {
  /** How many stand there at once. */
  max?: number;
}

/** The bell with its panel, toasts and announcements: `<belfry-bell>`. */
export function Bell({ token, tokenUrl, ...props }: BellProps): ReactElement {
  const source = useRef(token);
  useEffect(() => {
    source.current = token;
  });
  // The same function each time: a component that writes `token={() => …}` must not connect anew whenever it renders.
  const ask = useCallback(() => {
    const { current } = source;
    return typeof current === "function" ? current() : (current ?? "");
  }, []);
  const given = typeof token === "function" ? ask : token;
  return useElement("belfry-bell", {
    ...props,
    ...(given !== undefined && { token: given }),
    // By its name in HTML, which a server writes too.
    ...(tokenUrl !== undefined && { "token-url": tokenUrl }),
  });
}

/** The list of notifications: `<belfry-inbox>`. */
export function Inbox(props: InboxProps): ReactElement {
  return useElement("belfry-inbox", props);
}

/** What has just come: `<belfry-toasts>`. */
export function Toasts(props: ToastsProps): ReactElement {
  return useElement("belfry-toasts", props);
}

/** The announcements: `<belfry-banner>`. */
export function Banner(props: BannerProps): ReactElement {
  return useElement("belfry-banner", props);
}

/** How far the member's tasks are: `<belfry-tasks>`. */
export function Tasks(props: ElementProps): ReactElement {
  return useElement("belfry-tasks", props);
}

/** Properties that have no attribute are set in an effect: then they are there too when a server has rendered the page. */
function useElement(name: string, props: ElementProps & OpenProps & { token?: TokenSource; "token-url"?: string }): ReactElement {
  const { client, onOpen, token, ...attributes } = props;
  const ref = useRef<HTMLElement>(null);
  const provided = useBelfry();
  // A bell with a token of its own makes its client itself.
  const makesItsOwn = token !== undefined || attributes["token-url"] !== undefined;
  useProperty(ref, "client", client ?? provided, !makesItsOwn || client !== undefined);
  useProperty(ref, "token", token, token !== undefined);
  useEffect(() => {
    const element = ref.current;
    if (element === null || onOpen === undefined) return;
    const listener = onOpen as unknown as EventListener;
    element.addEventListener("belfry-open", listener);
    return () => element.removeEventListener("belfry-open", listener);
  }, [onOpen]);
  return createElement(name, { ...attributes, ref, suppressHydrationWarning: true });
}

function useProperty(ref: RefObject<HTMLElement | null>, name: string, value: unknown, isSet: boolean): void {
  useEffect(() => {
    if (isSet && ref.current !== null) Object.assign(ref.current, { [name]: value });
  }, [ref, name, value, isSet]);
}
