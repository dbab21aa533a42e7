/** How much memory an idle connection takes, of the service and of Socket.IO alone. */

import { Members } from "../lib/clients.mjs";
import { sleep } from "../lib/clock.mjs";
import { requireOpenFiles, residentBytes } from "../lib/cpu.mjs";
import { memberName, memberToken } from "../lib/events.mjs";
import { JWT_SECRET, startBaseline, withService } from "../lib/servers.mjs";
import { BARE_DIALECT, SERVICE_DIALECT } from "./throughput.mjs";

/** Connections before the first look, so that what a process needs once is not counted. */
const FIRST = 500;
/** Files and sockets that a process needs besides its connections. */
const OTHER_FILES = 200;

async function measure(server, dialect, authOf, options) {
  requireOpenFiles([process.pid, server.pid], FIRST + options.connections + OTHER_FILES);
  const members = new Members(server.port, dialect);
  const accounts = Array.from({ length: FIRST + options.connections }, (_, n) => ({ user: memberName(n), auth: authOf(memberName(n)) }));
  await members.connect(accounts.slice(0, FIRST));
  await sleep(options.settle * 1000);
  const before = residentBytes(server.pid);
  await members.connect(accounts.slice(FIRST));
  await sleep(options.settle * 1000);
  const after = residentBytes(server.pid);
  members.close();
  return { connections: options.connections, before, after, perConnection: (after - before) / options.connections };
}

/** Resident bytes per idle connection of the service on SQLite. */
export function serviceMemory({ options }) {
  return withService({
    store: "sqlite",
    use: ({ service }) => measure(service, SERVICE_DIALECT, (user) => ({ token: memberToken(user, JWT_SECRET) }), options),
  });
}

/** Resident bytes per idle connection of bare Socket.IO. */
export async function bareMemory({ options }) {
  const server = await startBaseline("bare-socketio");
  try {
    return await measure(server, BARE_DIALECT, (user) => ({ user }), options);
  } finally {
    server.child.kill("SIGKILL");
  }
}
