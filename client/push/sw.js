/**
 * The service worker: shows what a Belfry service pushes, and on a click leads to it. Served as `/client/belfry-sw.js`; a forum on another
 * origin has one of its own with `importScripts("https://notify.example/client/belfry-sw.js")`. It knows no token: a click is kept until a
 * page, with the token that it has, marks the notification as read (`push.js`).
 */
(() => {
  const worker = /** @type {BelfryWorker} */ (/** @type {unknown} */ (self));

  /** Clicks that are kept until a page takes them. Threat: storage that grows where no page ever comes. */
  const MAX_CLICKS = 100;
  const CLICKS = "clicks";

  worker.addEventListener("push", (event) => {
    const payload = payloadIn(event);
    if (payload !== null) event.waitUntil(show(payload));
  });

  worker.addEventListener("notificationclick", (event) => {
    const data = /** @type {{ belfry?: unknown } | null} */ (event.notification.data);
    if (data?.belfry !== 1) return;
    event.notification.close();
    event.waitUntil(follow(/** @type {BelfryClick & { url: string | null }} */ (/** @type {unknown} */ (data))));
  });

  worker.addEventListener("pushsubscriptionchange", (event) => {
    const options = event.oldSubscription?.options;
    if (!options?.applicationServerKey) return;
    // The next page that comes registers what this makes.
    const { userVisibleOnly, applicationServerKey } = options;
    event.waitUntil(worker.registration.pushManager.subscribe({ userVisibleOnly, applicationServerKey }));
  });

  worker.addEventListener("message", (event) => {
    const { belfry, ids } = /** @type {{ belfry?: unknown, ids?: unknown }} */ (Object(event.data));
    const [port] = event.ports;
    if (belfry === "clicks" && port !== undefined) event.waitUntil(clicks().then((all) => port.postMessage(all)));
    if (belfry === "settled" && Array.isArray(ids)) event.waitUntil(forget(ids.filter((id) => typeof id === "string")));
  });

  /**
   * What a push says, or null where it is not from Belfry: the forum may have others.
   * @param {BelfryPushEvent} event
   */
  function payloadIn(event) {
    try {
      const payload = /** @type {BelfryPayload} */ (event.data?.json());
      return payload.v === 1 && typeof payload.id === "string" && typeof payload.title === "string" ? payload : null;
    } catch {
      return null;
    }
  }

  /** @param {BelfryPayload} payload */
  async function show(payload) {
    const { id, user, tag, at, unread } = payload;
    const { title, body } = wordsOf(payload);
    const icon = worker.belfryIcon === undefined ? {} : { icon: worker.belfryIcon };
    const data = { belfry: 1, id, user, url: linkOf(payload.url) };
    const options = { body, tag, timestamp: Date.parse(at), data, ...icon };
    await worker.registration.showNotification(title, options);
    if ("setAppBadge" in navigator) await navigator.setAppBadge(unread).catch(() => {});
  }

  /** @param {BelfryPayload} payload */
  function wordsOf(payload) {
    try {
      return worker.belfryWords?.(payload) ?? payload;
    } catch {
      return payload;
    }
  }

  /** Only addresses of pages are followed. @param {string | undefined} url */
  function linkOf(url) {
    return typeof url === "string" && /^https?:\/\//i.test(url) && URL.canParse(url) ? url : null;
  }

  /**
   * Shows the page in the tab that has it, or in a new one. No tab is taken away from what it shows: somebody may be writing there.
   * @param {BelfryClick & { url: string | null }} click
   */
  async function follow({ id, user, url }) {
    await keep({ id, user }).catch(() => {});
    const address = url ?? worker.registration.scope;
    const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
    for (const page of pages) page.postMessage({ belfry: "clicked" });
    const open = pages.find((page) => placeOf(page.url) === placeOf(address));
    if (open === undefined) await worker.clients.openWindow(address);
    else await open.focus();
  }

  /** @param {string} url */
  function placeOf(url) {
    const place = new URL(url);
    place.hash = "";
    return place.href;
  }

  /** @param {BelfryClick} click */
  async function keep(click) {
    await inStore("readwrite", (store) => {
      store.put({ ...click, at: Date.now() });
      const keys = store.index("at").getAllKeys();
      keys.onsuccess = () => {
        for (const key of keys.result.slice(0, -MAX_CLICKS)) store.delete(key);
      };
      return keys;
    });
  }

  /** @returns {Promise<BelfryClick[]>} */
  async function clicks() {
    const all = await inStore("readonly", (store) => store.getAll()).catch(() => []);
    return all.map(({ id, user }) => ({ id, user }));
  }

  /** @param {string[]} ids */
  async function forget(ids) {
    await inStore("readwrite", (store) => {
      for (const id of ids) store.delete(id);
      return store.count();
    });
  }

  /**
   * One transaction on the kept clicks. Resolves with what the request has found once everything is stored.
   * @template T
   * @param {IDBTransactionMode} mode
   * @param {(store: IDBObjectStore) => IDBRequest<T>} work
   * @returns {Promise<T>}
   */
  function inStore(mode, work) {
    return new Promise((resolve, reject) => {
      const opening = indexedDB.open("belfry-push", 1);
      opening.onupgradeneeded = () => {
        opening.result.createObjectStore(CLICKS, { keyPath: "id" }).createIndex("at", "at");
      };
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const database = opening.result;
        const transaction = database.transaction(CLICKS, mode);
        const request = work(transaction.objectStore(CLICKS));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onabort = () => reject(transaction.error);
        transaction.addEventListener("complete", () => database.close());
        transaction.addEventListener("abort", () => database.close());
      };
    });
  }
})();
