import type { Socket } from "socket.io";

/** Whether the client is in no namespace of its connection any more. */
export function isUnused({ client }: Socket): boolean {
  return (client as unknown as { sockets: Map<string, Socket> }).sockets.size === 0;
}

/**
 * Closes the connection of a socket that has left its namespace, unless the client is in another one. A client that has left them all must
 * not hold a connection, which nobody counts any more.
 */
export function closeUnused(socket: Socket): void {
  if (isUnused(socket)) socket.conn.close();
}

/** Calls `done` once, when the socket has left its namespace, or its connection is lost before it has joined; at once where it is lost already. */
export function whenGone(socket: Socket, done: () => void): void {
  if (socket.conn.readyState === "closed") {
    done();
    return;
  }
  let isGone = false;
  const once = (): void => {
    if (isGone) return;
    isGone = true;
    socket.conn.off("close", once);
    done();
  };
  socket.once("disconnect", once);
  socket.conn.once("close", once);
}
