import type { Belfry } from "belfry-client";
import { LitElement, type PropertyDeclarations, type PropertyValues } from "lit";
import { type Language, languageFor, watchLanguages } from "./text/language.js";

/** Fired on an element when its `client` has changed, so that elements with `for` can follow. */
const CLIENT_EVENT = "belfry-client";

/** How often "5 minutes ago" is written anew. */
const TIMES_MS = 30_000;

/** Milliseconds between two drawings for changes of the client: nobody reads faster, and a flood costs a tenth. The first change shows at once. */
const CALM_MS = 100;

/** How an element looks: as the member's system does, or always light or dark. */
export type Theme = "auto" | "light" | "dark";

/**
 * What all elements have in common: they show a `client`, in the page's language, and keep in step with both.
 * @fires belfry-client when `client` has changed
 */
export abstract class BelfryElement extends LitElement {
  static override properties: PropertyDeclarations = {
    client: { attribute: false },
    theme: { reflect: true },
    for: {},
  };

  /** A `Belfry` of `connect()`. Null shows nothing. */
  declare client: Belfry | null;
  declare theme: Theme;
  /** The id of another element of Belfry, whose client this one shows too. */
  declare for: string | null;

  #endings: (() => void)[] = [];
  #leave: (() => void) | null = null;
  #told = Number.NEGATIVE_INFINITY;
  #telling: ReturnType<typeof setTimeout> | null = null;

  constructor() {
    super();
    this.client = null;
    this.theme = "auto";
    this.for = null;
  }

  static override get observedAttributes(): string[] {
    // biome-ignore lint/complexity/noThisInStatic: lit collects the attributes of the class that is asked, which is not this one.
    return [...super.observedAttributes, "lang", "dir"];
  }

  override attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    super.attributeChangedCallback(name, before, after);
    if (name === "lang" || name === "dir") this.requestUpdate();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const tell = (): void => this.requestUpdate();
    const timer = setInterval(tell, TIMES_MS);
    document.addEventListener(CLIENT_EVENT, this.#adopt);
    this.#endings.push(
      watchLanguages(tell),
      () => clearInterval(timer),
      () => document.removeEventListener(CLIENT_EVENT, this.#adopt),
    );
    this.#adopt();
    this.#follow();
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const end of this.#endings.splice(0)) end();
    this.#unfollow();
  }

  override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("for")) this.#adopt();
    if (!changed.has("client")) return;
    this.#unfollow();
    this.#follow();
    // Not before the first client: nobody waits for none.
    if (changed.get("client") || this.client) this.dispatchEvent(new Event(CLIENT_EVENT, { bubbles: true, composed: true }));
  }

  /** The language to speak: of this element, of what is around it, or of the browser. */
  protected get language(): Language {
    return languageFor(languageAt(this) || navigator.language || "en");
  }

  /** `rtl` where the language asks for it and the page has not said anything; else what the page says holds. */
  protected get direction(): "rtl" | undefined {
    return this.language.isRightToLeft && directionAt(this) === "" ? "rtl" : undefined;
  }

  /** Called after a change of the client, before the element is drawn anew, and for a new client. */
  protected clientChanged(): void {
    this.requestUpdate();
  }

  /** Called when there is a client to follow. What is returned is called when it is left. */
  protected followed(_client: Belfry): (() => void) | null {
    return null;
  }

  #follow(): void {
    const { client } = this;
    if (client === null || client === undefined || !this.isConnected || this.#leave !== null) return;
    const endings = [client.subscribe(this.#tell), this.followed(client)];
    this.#leave = () => {
      for (const end of endings) end?.();
      if (this.#telling !== null) clearTimeout(this.#telling);
      this.#telling = null;
    };
    this.clientChanged();
  }

  #unfollow(): void {
    this.#leave?.();
    this.#leave = null;
  }

  readonly #tell = (): void => {
    if (this.#telling !== null) return;
    const wait = this.#told + CALM_MS - performance.now();
    if (wait > 0) {
      this.#telling = setTimeout(() => {
        this.#telling = null;
        this.#tell();
      }, wait);
      return;
    }
    this.#told = performance.now();
    this.clientChanged();
  };

  readonly #adopt = (): void => {
    if (!this.for || !this.isConnected) return;
    const root = this.getRootNode();
    const source = root instanceof Document || root instanceof ShadowRoot ? root.getElementById(this.for) : null;
    if (source !== null && source !== this && "client" in source) this.client = source.client as Belfry | null;
  };
}

function languageAt(start: Element): string {
  return attributeAbove(start, "lang") || document.documentElement.lang;
}

function directionAt(start: Element): string {
  return attributeAbove(start, "dir") || document.documentElement.dir;
}

/** The nearest value of an attribute, at the element or above it, out of shadow trees too. */
function attributeAbove(start: Element, name: string): string {
  let element: Element | null = start;
  while (element !== null) {
    const value = element.getAttribute(name);
    if (value) return value;
    const root: Node = element.getRootNode();
    element = element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
  }
  return "";
}
