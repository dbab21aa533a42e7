/**
 * The network of this window, with a switch: while it is off, whatever is open is closed and nothing can be opened, for the forum as for the
 * notifications. The page behaves as it would with its cable pulled, because nothing in it knows of the switch. To be imported before
 * whatever connects.
 */
const NativeSocket = globalThis.WebSocket;
const nativeFetch = globalThis.fetch.bind(globalThis);
const nativeOpen = XMLHttpRequest.prototype.open;

const FAULT = "The network is off.";

let isOn = true;
const sockets = new Set<WebSocket>();
const requests = new Set<XMLHttpRequest>();
let cut = new AbortController();

class SwitchedSocket extends NativeSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    if (!isOn) throw new Error(FAULT);
    super(url, protocols);
    sockets.add(this);
    this.addEventListener("close", () => sockets.delete(this));
  }
}

function switchedOpen(this: XMLHttpRequest, ...given: Parameters<typeof nativeOpen>): void {
  if (!isOn) throw new Error(FAULT);
  requests.add(this);
  this.addEventListener("loadend", () => requests.delete(this));
  nativeOpen.apply(this, given);
}

globalThis.WebSocket = SwitchedSocket;
XMLHttpRequest.prototype.open = switchedOpen as typeof nativeOpen;
globalThis.fetch = (input, init) =>
  isOn ? nativeFetch(input, { ...init, signal: init?.signal ?? cut.signal }) : Promise.reject(new TypeError(FAULT));

export const network = {
  get isOn(): boolean {
    return isOn;
  },

  /** Cuts this window off, or lets it back. The page hears what a browser tells on such an occasion. */
  set isOn(on: boolean) {
    if (on === isOn) return;
    isOn = on;
    if (!on) {
      cut.abort();
      cut = new AbortController();
      for (const socket of sockets) socket.close();
      for (const request of requests) request.abort();
    }
    dispatchEvent(new Event(on ? "online" : "offline"));
  },
};
