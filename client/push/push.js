/**
 * The page's side of web push: asks for permission when it is told to, registers this browser with the service, and marks as read what was
 * clicked while no page was open. No dependencies; served as `/client/belfry-push.js`.
 */

/**
 * @typedef {object} PushSettings
 * @property {string} url The service, such as `https://notify.example`.
 * @property {() => string | Promise<string>} token The member's token; asked for at every call.
 * @property {string} [worker] The address of the service worker, on the page's own origin: `/client/belfry-sw.js` where the page is the
 *   service's, else `/belfry-sw.js`.
 * @property {(id: string) => unknown} [read] Marks a clicked notification as read; without it this module does, over HTTP.
 */

/**
 * - `unsupported`: this browser, or this page (without https), has no web push
 * - `unavailable`: the service has it off, or cannot be reached
 * - `denied`: the member has said no, and only the browser's settings can change that
 * - `off`, `on`: as it is
 * @typedef {"unsupported" | "unavailable" | "denied" | "off" | "on"} PushState
 */

/** Where it is remembered in this browser what a member wants; their id follows, since several may share it. */
const WISH = "belfry-push:";

/** For how long a member who has said "not now" is not asked again. Milliseconds. */
const LATER_MS = 30 * 24 * 3_600_000;

/** How long the service worker may take to answer. Milliseconds. */
const ANSWER_MS = 3_000;

/** Why push could not be turned on: `code` is the state that stands against it, or `failed`. */
export class PushError extends Error {
  /**
   * @param {Exclude<PushState, "on" | "off"> | "failed"} code
   * @param {string} message
   * @param {unknown} [cause]
   */
  constructor(code, message, cause) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "PushError";
    this.code = code;
  }
}

/** Web push in this browser, for the member whose token it is given. */
export class BelfryPush {
  /** @type {PushSettings} */
  #settings;
  /** @type {Promise<string> | null} */
  #key = null;
  #settling = false;

  /** @param {PushSettings} settings */
  constructor(settings) {
    this.#settings = settings;
  }

  /** Whether this browser and this page can have web push at all. */
  get supported() {
    return globalThis.isSecureContext && "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
  }

  /** What the member has allowed: `default` is "not asked yet". */
  get permission() {
    return this.supported ? Notification.permission : "denied";
  }

  /** How things stand. Asks nobody. @returns {Promise<PushState>} */
  async state() {
    if (!this.supported) return "unsupported";
    if (Notification.permission === "denied") return "denied";
    try {
      await this.#publicKey();
    } catch {
      return "unavailable";
    }
    if (Notification.permission !== "granted" || (await this.#subscription()) === null) return "off";
    const wish = recall(await this.#user());
    // What this browser has may be another member's.
    return wish === "on" || wish === undefined ? "on" : "off";
  }

  /**
   * Whether it is right to offer it now: it can be had, and this member has neither decided nor said "not now" lately. Offer it where it makes
   * sense, such as in the panel of a bell that has something new, and never as a page opens.
   */
  async shouldOffer() {
    if (this.permission === "denied") return false;
    const wish = recall(await this.#user());
    if (wish === "on" || wish === "off" || Date.now() - Number(wish) < LATER_MS) return false;
    return (await this.state()) === "off";
  }

  /** The member has said "not now". */
  async decline() {
    remember(await this.#user(), String(Date.now()));
  }

  /** Turns it on; the browser asks the member, so call it from a click. @throws {PushError} */
  async enable() {
    if (!this.supported) throw new PushError("unsupported", "This browser has no web push here.");
    // First, as long as it counts as asked by the click.
    const permission = await Notification.requestPermission();
    if (permission === "denied") throw new PushError("denied", "Notifications are not allowed for this site.");
    if (permission !== "granted") throw new PushError("failed", "The browser's question was left without an answer.");
    const key = await this.#publicKey().catch((error) => {
      throw new PushError("unavailable", "The service has no web push, or cannot be reached.", error);
    });
    try {
      await this.#register(key);
      remember(await this.#user(), "on");
    } catch (error) {
      throw new PushError("failed", "Web push could not be turned on.", error);
    }
  }

  /** Turns it off in this browser, until the member turns it on again. Does nothing where it is off. */
  async disable() {
    remember(await this.#user(), "off");
    await this.leave();
  }

  /**
   * To be called when the member signs out, as long as there is a token: nothing of theirs appears in this browser any more. It is on again
   * when they come back, where they had it on.
   */
  async leave() {
    if (this.supported && "clearAppBadge" in navigator) await navigator.clearAppBadge().catch(() => {});
    const subscription = this.supported ? await this.#subscription() : null;
    if (subscription === null) return;
    // Without the service, too: what it sends from now on is answered that this browser is gone.
    const told = this.#call("DELETE", "/v1/me/push", { endpoint: subscription.endpoint }).catch(() => {});
    await subscription.unsubscribe();
    await told;
  }

  /**
   * To be called on every page of a member who is signed in. Registers this browser again where they have it on, since browsers change their
   * subscriptions; ends what another member has left behind; and marks as read what was clicked. Asks nobody. Returns how to stop listening.
   * @returns {() => void}
   */
  start() {
    if (!this.supported) return () => {};
    /** @param {MessageEvent} event */
    const onMessage = (event) => {
      if (Object(event.data).belfry === "clicked") void this.#settle();
    };
    navigator.serviceWorker.addEventListener("message", onMessage);
    void this.#renew().catch(() => {});
    void this.#settle();
    return () => navigator.serviceWorker.removeEventListener("message", onMessage);
  }

  async #renew() {
    if (Notification.permission !== "granted") return;
    const wish = recall(await this.#user());
    if (wish === "on") await this.#register(await this.#publicKey());
    else if (wish !== undefined) await this.#endOther();
  }

  /** Somebody had it on here who did not sign out, or it was turned off elsewhere: what comes is not for this member's eyes. */
  async #endOther() {
    const subscription = await this.#subscription();
    // The forum may have a push of its own, which is not to be touched.
    if (subscription !== null && keyOf(subscription) === (await this.#publicKey())) await subscription.unsubscribe();
  }

  /** @param {string} key */
  async #register(key) {
    await navigator.serviceWorker.register(this.#worker, { scope: "/" });
    const { pushManager } = await navigator.serviceWorker.ready;
    let subscription = await pushManager.getSubscription();
    if (subscription !== null && keyOf(subscription) !== key) {
      // The service has other keys than it had, such as after a store was lost.
      await subscription.unsubscribe();
      subscription = null;
    }
    subscription ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
    const { endpoint, keys } = subscription.toJSON();
    await this.#call("PUT", "/v1/me/push", { endpoint, keys });
  }

  get #worker() {
    const { url, worker } = this.#settings;
    if (worker !== undefined) return worker;
    return new URL(url, location.href).origin === location.origin ? "/client/belfry-sw.js" : "/belfry-sw.js";
  }

  /** The subscription of this browser, or null. */
  async #subscription() {
    const registration = await navigator.serviceWorker.getRegistration("/");
    return (await registration?.pushManager.getSubscription()) ?? null;
  }

  #publicKey() {
    this.#key ??= this.#ask("/v1/push", {}).then(({ publicKey }) => publicKey);
    this.#key.catch(() => {
      this.#key = null;
    });
    return this.#key;
  }

  /** Whose token it is, as the token says; an empty text where there is none, or it does not say. */
  async #user() {
    try {
      return userIn(await this.#settings.token());
    } catch {
      return "";
    }
  }

  /**
   * Marks as read what this member has clicked. What cannot be marked now is so by the next page, and what is another member's by a page of
   * theirs.
   */
  async #settle() {
    if (this.#settling) return;
    this.#settling = true;
    try {
      const registration = await navigator.serviceWorker.getRegistration("/");
      if (!registration?.active) return;
      const own = await this.#user();
      for (const { id, user } of await clicksOf(registration.active)) {
        if (own !== "" && user !== own) continue;
        const isSettled = await this.#read(id).then(
          () => true,
          () => false,
        );
        if (isSettled) registration.active.postMessage({ belfry: "settled", ids: [id] });
      }
    } catch {
      // Without the service worker's answer there will be another page.
    } finally {
      this.#settling = false;
    }
  }

  /** @param {string} id */
  async #read(id) {
    const { read } = this.#settings;
    try {
      await (read === undefined ? this.#call("POST", "/v1/me/read", { ids: [id] }) : read(id));
    } catch (error) {
      // Trimmed, or of a store that was lost: there is nothing to mark.
      const { status, code } = Object(error);
      if (status !== 404 && code !== "not_found") throw error;
    }
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} body
   */
  async #call(method, path, body) {
    const headers = { Authorization: `Bearer ${await this.#settings.token()}`, "Content-Type": "application/json" };
    return this.#ask(path, { method, headers, body: JSON.stringify(body) });
  }

  /**
   * @param {string} path
   * @param {RequestInit} init
   */
  async #ask(path, init) {
    const response = await fetch(new URL(path, new URL(this.#settings.url, location.href)), init);
    if (!response.ok) throw Object.assign(new Error(`${path}: ${response.status}`), { status: response.status });
    return response.json();
  }
}

/**
 * What was clicked, as the service worker has kept it.
 * @param {ServiceWorker} worker
 * @returns {Promise<Array<{ id: string, user: string }>>}
 */
function clicksOf(worker) {
  return new Promise((resolve, reject) => {
    const { port1, port2 } = new MessageChannel();
    const timer = setTimeout(() => reject(new Error("the service worker does not answer")), ANSWER_MS);
    port1.onmessage = ({ data }) => {
      clearTimeout(timer);
      port1.close();
      resolve(data);
    };
    worker.postMessage({ belfry: "clicks" }, [port2]);
  });
}

/** @param {PushSubscription} subscription */
function keyOf({ options: { applicationServerKey } }) {
  if (applicationServerKey === null) return "";
  const text = btoa(String.fromCharCode(...new Uint8Array(applicationServerKey)));
  return text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** @param {string} key base64url */
function bytesOf(key) {
  return Uint8Array.from(atob(key.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
}

/** @param {string} token */
function userIn(token) {
  const bytes = bytesOf(token.split(".")[1] ?? "");
  const { sub } = JSON.parse(new TextDecoder().decode(bytes));
  return typeof sub === "string" ? sub : "";
}

/**
 * What the member wants: `on`, `off`, when they have said "not now", or null. Undefined where storage is forbidden, so that nobody can know.
 * @param {string} user
 */
function recall(user) {
  try {
    return localStorage.getItem(WISH + user);
  } catch {
    return undefined;
  }
}

/**
 * @param {string} user
 * @param {string} wish
 */
function remember(user, wish) {
  try {
    localStorage.setItem(WISH + user, wish);
  } catch {
    // Then it is asked again.
  }
}
