import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createClient } from "redis";

/** How long a server may take to start, to join others, or to stop. Milliseconds. */
const DEADLINE_MS = 30_000;

/** How often a condition is looked at. Milliseconds. */
const POLL_MS = 50;

/** How long a server may take to answer one command. Milliseconds. */
const ANSWER_MS = 5_000;

/** When Sentinels hold the master for down, and nodes of a Cluster each other. Milliseconds. */
const DOWN_AFTER_MS = 1_000;

/** When Sentinels try again after a promotion that failed. Milliseconds. */
const FAILOVER_MS = 5_000;

/** Nodes of a Cluster talk to each other on their port plus this. */
const BUS_PORT = 10_000;

const HOST = "127.0.0.1";
const SLOTS = 16_384;
const MASTERS = 3;
const NAME = "belfry-test";

const MEMORY_ONLY = ["--save", "", "--appendonly", "no", "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"];

/** Starts a redis-server in a temporary folder. `sentinel`: the lines of its configuration, where it is a Sentinel. */
export async function launchRedis(binary, { port: given, args = [], password, sentinel } = {}) {
  const port = given ?? (await freePort());
  const dir = await mkdtemp(join(tmpdir(), "belfry-redis-"));
  const secret = password === undefined ? [] : ["--requirepass", password, "--masterauth", password];
  const common = ["--port", String(port), "--bind", HOST, "--dir", dir, "--logfile", join(dir, "redis.log"), ...secret];
  const config = join(dir, "sentinel.conf");
  if (sentinel !== undefined) await writeFile(config, `${sentinel.join("\n")}\n`);
  const kind = sentinel === undefined ? MEMORY_ONLY : ["--sentinel"];
  const all = [...(sentinel === undefined ? [] : [config]), ...common, ...kind, ...args];
  let child = null;
  let ended = Promise.resolve();

  async function start() {
    child = spawn(binary, all, { stdio: "ignore" });
    // The second event is all that comes of a binary that cannot be run.
    ended = new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
    await until(
      `redis-server on port ${port} to answer`,
      () => server.command("PING"),
      () => child.exitCode === null,
    ).catch(async (error) => {
      const log = await readFile(join(dir, "redis.log"), "utf8").catch(() => "");
      throw new Error(`${error.message}\n${log.split("\n").slice(-10).join("\n")}`);
    });
  }

  async function end() {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await ended;
  }

  const server = {
    port,
    dir,
    url: `redis://${password === undefined ? "" : `:${encodeURIComponent(password)}@`}${HOST}:${port}`,
    get pid() {
      return child.pid;
    },
    get runs() {
      return child.exitCode === null && child.signalCode === null;
    },
    kill9: end,
    freeze: () => process.kill(child.pid, "SIGSTOP"),
    thaw: () => process.kill(child.pid, "SIGCONT"),
    async restart() {
      await end();
      await start();
    },
    command: (...words) => ask({ port, password }, words),
    async stop() {
      await end();
      await rm(dir, { recursive: true, force: true });
    },
  };
  return orStopped([server], async () => {
    await start();
    return server;
  });
}

/** A master, its replica, and three Sentinels that know each other and both. */
export async function launchSentinels(binary, { args = [], password } = {}) {
  const started = [];
  const launch = async (options) => {
    started.push(await launchRedis(binary, { password, ...options }));
    return started.at(-1);
  };
  const stop = () => stopAll(started);
  return orStopped(started, async () => {
    const first = await launch({ args });
    const second = await launch({ args: [...args, "--replicaof", HOST, String(first.port)] });
    const lines = [
      `sentinel monitor ${NAME} ${HOST} ${first.port} 2`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${NAME} ${FAILOVER_MS}`,
      ...(password === undefined ? [] : [`sentinel auth-pass ${NAME} "${password}"`]),
    ];
    const sentinels = [];
    for (let index = 0; index < 3; index++) sentinels.push(await launch({ password: undefined, sentinel: lines }));
    await until("the replica to follow its master", async () =>
      expectIn(await second.command("INFO", "replication"), "master_link_status:up"),
    );
    for (const sentinel of sentinels) {
      await until("the Sentinels to know each other and both servers", async () => {
        const state = fieldsOf(await sentinel.command("SENTINEL", "MASTER", NAME));
        if (state["num-slaves"] !== "1" || state["num-other-sentinels"] !== "2") throw new Error(JSON.stringify(state));
      });
    }
    return {
      url: `redis+sentinel://${password === undefined ? "" : `:${encodeURIComponent(password)}@`}${addresses(sentinels)}/${NAME}`,
      name: NAME,
      servers: [first, second],
      sentinels,
      async master() {
        const asked = sentinels.find((sentinel) => sentinel.runs);
        const [, port] = await asked.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME);
        return [first, second].find((server) => server.port === Number(port));
      },
      stop,
    };
  });
}

/** Three masters that serve all slots between them, and where asked for a replica of each. */
export async function launchRedisCluster(binary, { replicas = false } = {}) {
  const nodes = [];
  return orStopped(nodes, async () => {
    for (let index = 0; index < (replicas ? 2 * MASTERS : MASTERS); index++) {
      const timeout = ["--cluster-node-timeout", String(DOWN_AFTER_MS)];
      const args = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", ...timeout];
      nodes.push(await launchRedis(binary, { port: await freePort(BUS_PORT), args }));
    }
    const masters = nodes.slice(0, MASTERS);
    for (const [index, node] of nodes.entries()) {
      await node.command("CLUSTER", "SET-CONFIG-EPOCH", String(index + 1));
      const share = Math.ceil(SLOTS / MASTERS);
      const slots = Array.from({ length: share }, (_, slot) => index * share + slot).filter((slot) => slot < SLOTS);
      if (slots.length > 0) await node.command("CLUSTER", "ADDSLOTS", ...slots.map(String));
      if (index > 0) await node.command("CLUSTER", "MEET", HOST, String(masters[0].port));
    }
    const ok = async () => {
      for (const node of nodes.filter((one) => one.runs)) {
        await until("the Cluster to serve all slots", async () => expectIn(await node.command("CLUSTER", "INFO"), "cluster_state:ok"));
      }
    };
    for (const node of nodes) {
      const known = `cluster_known_nodes:${nodes.length}`;
      await until("the nodes to know each other", async () => expectIn(await node.command("CLUSTER", "INFO"), known));
    }
    for (const [index, node] of nodes.slice(MASTERS).entries()) {
      const master = await masters[index].command("CLUSTER", "MYID");
      await until("a replica to be taken", () => node.command("CLUSTER", "REPLICATE", master));
      await until("a replica to follow", async () => expectIn(await node.command("INFO", "replication"), "master_link_status:up"));
    }
    await ok();
    return { url: `redis+cluster://${addresses(nodes)}`, nodes, masters, ok, stop: () => stopAll(nodes) };
  });
}

async function orStopped(started, launch) {
  try {
    return await launch();
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

async function stopAll(servers) {
  await Promise.all(servers.map((server) => server.stop()));
}

/** What one command answers, on a connection of its own. */
async function ask({ port, password }, words) {
  const client = createClient({
    ...(password === undefined ? {} : { password }),
    socket: { host: HOST, port, connectTimeout: ANSWER_MS, reconnectStrategy: false },
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: "disabled",
    RESP: 2,
  });
  client.on("error", () => {});
  const timer = setTimeout(() => client.destroy(), ANSWER_MS);
  try {
    await client.connect();
    return await client.sendCommand(words);
  } finally {
    clearTimeout(timer);
    client.destroy();
  }
}

async function until(what, condition, hope = () => true) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await condition();
    } catch (error) {
      if (!hope() || Date.now() > deadline) throw new Error(`Waited in vain for ${what}: ${error.message}`);
    }
    await pause(POLL_MS);
  }
}

function expectIn(text, part) {
  if (!text.includes(part)) throw new Error(`there is no ${part} in ${text}`);
}

/** The object of a list of names and values. */
function fieldsOf(list) {
  return Object.fromEntries(list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1]]] : [])));
}

function addresses(servers) {
  return servers.map(({ port }) => `${HOST}:${port}`).join(",");
}

/** A port that is free, as is the one `above` it. */
async function freePort(above = 0) {
  for (;;) {
    const port = await probe(0);
    if (port + above > 65_535) continue;
    if (above === 0 || (await probe(port + above).catch(() => null)) !== null) return port;
  }
}

async function probe(port) {
  const server = createServer().listen(port, HOST);
  await once(server, "listening");
  const found = server.address().port;
  server.close();
  await once(server, "close");
  return found;
}
