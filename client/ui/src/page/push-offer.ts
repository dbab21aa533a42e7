import type { Belfry } from "belfry-client";
import { html, nothing, type ReactiveController, type ReactiveControllerHost, type TemplateResult } from "lit";
import type { Language } from "../text/language.js";
import { keepBadge } from "./badge.js";

/** What `/client/belfry-push.js` gives, as far as it is used. */
interface Push {
  shouldOffer(): Promise<boolean>;
  decline(): Promise<void>;
  enable(): Promise<void>;
  start(): () => void;
}

interface PushModule {
  BelfryPush: new (settings: { url: string; token: () => string; read: (id: string) => unknown; worker?: string }) => Push;
}

/** Where the service has it. It is loaded from there, so that pages without web push pay nothing for it. */
const MODULE = "/client/belfry-push.js";

const NONE = Promise.resolve(null);

/**
 * Web push for the member of a bell: keeps this browser's registration in step, and offers to turn it on when the member looks at what has
 * come, never as a page opens. What goes wrong with it leaves the bell as it is.
 */
export class PushOffer implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #onGone: () => void;
  #push: Promise<Push | null> = NONE;
  #isOffered = false;
  #hasFailed = false;

  /** `onGone`: the offer that had the focus goes away. */
  constructor(host: ReactiveControllerHost, onGone: () => void) {
    this.#host = host;
    this.#onGone = onGone;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.#isOffered = false;
  }

  /** `url`: of the service; `worker`: of the service worker on the page's own origin, or empty for where it is by default. @returns ends it */
  follow(client: Belfry, url: string, worker: string): () => void {
    const base = new URL(url, location.href).href;
    let token = "";
    let stop = (): void => {};
    let end = (): void => {};
    let isOver = false;
    const load = async (): Promise<Push | null> => {
      try {
        const { BelfryPush } = (await import(new URL(MODULE, base).href)) as PushModule;
        if (isOver) return null;
        const read = (id: string): unknown => client.read(id);
        const push = new BelfryPush({ url: base, token: () => token, read, ...(worker === "" ? {} : { worker }) });
        stop = push.start();
        return push;
      } catch (error) {
        console.warn("belfry-bell: web push is not there", error);
        return null;
      }
    };
    const push = new Promise<Push | null>((resolve) => {
      end = client.onSession((session) => {
        if (session === null) return;
        const isFirst = token === "";
        token = session.token;
        if (isFirst) resolve(load());
      });
    });
    this.#push = push;
    const leaveBadge = keepBadge(client, navigator);
    return () => {
      isOver = true;
      leaveBadge();
      end();
      stop();
      if (this.#push === push) this.#push = NONE;
      this.#isOffered = false;
    };
  }

  /** The member looks at the panel, and there is something in it: the moment to offer it, if there is one. */
  async look(): Promise<void> {
    this.#hasFailed = false;
    const push = await this.#push;
    this.#isOffered = push !== null && (await push.shouldOffer().catch(() => false));
    if (this.#isOffered) this.#host.requestUpdate();
  }

  /** The offer, where it is made. */
  template(language: Language): TemplateResult | typeof nothing {
    if (!this.#isOffered) return nothing;
    return html`<div class="offer" part="offer">
      <p id="offer">${language.say(this.#hasFailed ? "pushFailed" : "pushOffer")}</p>
      <div class="acts">
        <button type="button" class="act main" part="button" aria-describedby="offer" @click=${this.#accept}>${language.say("pushOn")}</button>
        <button type="button" class="act" part="button" aria-describedby="offer" @click=${this.#decline}>${language.say("pushLater")}</button>
      </div>
    </div>`;
  }

  readonly #accept = async (): Promise<void> => {
    try {
      await (await this.#push)?.enable();
      this.#leave();
    } catch (error) {
      // The browser's own "no" is an answer too; what else fails can be tried again.
      this.#hasFailed = (error as { code?: unknown }).code !== "denied";
      if (!this.#hasFailed) this.#leave();
    }
    this.#host.requestUpdate();
  };

  readonly #decline = async (): Promise<void> => {
    this.#leave();
    this.#host.requestUpdate();
    await (await this.#push)?.decline();
  };

  #leave(): void {
    this.#isOffered = false;
    this.#onGone();
  }
}
