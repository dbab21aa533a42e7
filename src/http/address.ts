import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import express from "express";
import type { Config } from "../config/index.js";

/** What an address is told from: a request, also the one with which a socket began. */
export interface Addressed {
  headers: IncomingHttpHeaders;
  socket: { remoteAddress?: string | undefined };
}

/**
 * Tells the address of the client behind a request: the socket's, or, as far as the proxies are trusted, the one that they forward in
 * X-Forwarded-For. Null where the connection has ended already.
 * @param trust what Express calls `trust proxy`.
 */
export function addressOf(trust: Config["trustProxy"]): (request: Addressed) => string | null {
  // Express compiles the setting into a function and gives no other way to it.
  const settings = express().set("trust proxy", trust);
  const trusted = settings.get("trust proxy fn") as (address: string, hop: number) => boolean;
  return ({ headers, socket }) => {
    let address = addressIn(socket.remoteAddress);
    if (address === null) return null;
    const forwarded = [headers["x-forwarded-for"] ?? []].flat().join(",").split(",");
    for (let hop = 0; trusted(address, hop); hop++) {
      const before = addressIn(forwarded.pop());
      // Anything but an address was made up by somebody: whoever sent it on is the last one known.
      if (before === null) break;
      address = before;
    }
    return address;
  };
}

/** The address in its plain form, null for what is none. A socket for both versions of IP shows the older as ::ffff:192.0.2.1. */
function addressIn(text: string | undefined): string | null {
  const plain = text?.trim().replace(/^::ffff:(?=\d+\.)/i, "") ?? "";
  return isIP(plain) === 0 ? null : plain;
}
