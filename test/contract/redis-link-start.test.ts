import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { RedisRefused } from "../../src/cluster/types.js";
import { makeCertificate } from "../support/certificate.js";
import { until } from "../support/member.js";
import { type RedisCluster, type RedisProcess, type Sentinels, startRedis, startRedisCluster, startSentinels } from "../support/redis.js";
import { Links, untilCarried } from "../support/redis-links.js";
import { LinkProgram } from "../support/redis-programs.js";

/** Starting ten servers takes seconds, more on a busy machine. Milliseconds. */
const SLOW = 120_000;

const links = new Links();
afterEach(() => links.closeAll());

/** Why a link is not opened. */
async function refusalOf(url: string): Promise<string> {
  const error: unknown = await links.open(url).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(RedisRefused);
  const { message } = error as RedisRefused;
  expect(message).toMatch(/^REDIS_URL: [^\n]*\.$/);
  return message;
}

/** Listens, and serves each connection as it is told. */
async function listen(server: Server): Promise<{ server: Server; port: number; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  };
  return { server, port: (server.address() as AddressInfo).port, close };
}

describe("a link is refused at the start where waiting cannot help", () => {
  let open: RedisProcess;
  let locked: RedisProcess;
  let cluster: RedisCluster;
  let sentinels: Sentinels;
  beforeAll(async () => {
    open = await startRedis();
    locked = await startRedis({ password: "secret" });
    await locked.command("ACL", "SETUSER", "ada", "on", ">lovelace", "allchannels", "+publish", "+hello", "+ping");
    await locked.command(
      "ACL",
      "SETUSER",
      "bob",
      "on",
      ">builder",
      "allchannels",
      "+publish",
      "+subscribe",
      "+psubscribe",
      "+hello",
      "+ping",
    );
    cluster = await startRedisCluster();
    sentinels = await startSentinels();
  }, SLOW);
  afterAll(async () => {
    await Promise.all([open.stop(), locked.stop(), cluster.stop(), sentinels.stop()]);
  });
  const at = (server: RedisProcess, scheme: string, rest = "") => `${scheme}://${rest}127.0.0.1:${server.port}`;

  it("with another password, with none, and with a user who may not do what is needed", async () => {
    expect(await refusalOf(at(locked, "redis", ":hunter2@"))).toMatch(/does not accept this user and password/);
    expect(await refusalOf(at(locked, "redis", "nobody:hunter2@"))).not.toContain("hunter2");
    expect(await refusalOf(at(locked, "redis"))).toMatch(/asks for a password.*write USER:PASSWORD@/);
    expect(await refusalOf(at(locked, "redis", "ada:lovelace@"))).toMatch(/may not do what Belfry needs; allow it \+hello .*allchannels/);
  });

  it("but not with the right password, nor as a user who may do just what is needed", async () => {
    const [one, other] = [await links.open(locked.url), await links.open(at(locked, "redis", "bob:builder@"))];
    await untilCarried(one, other);
    await untilCarried(other, one);
  });

  it("where something else than Redis answers", async () => {
    const http = await listen(createHttpServer((_request, response) => response.end("hello")));
    expect(await refusalOf(`redis://127.0.0.1:${http.port}`)).toMatch(/does not speak as Redis does; correct the address/);
    await http.close();
  });

  it("where another kind of Redis answers than the address says", async () => {
    const [node] = cluster.nodes as [RedisProcess];
    const [sentinel] = sentinels.sentinels as [RedisProcess];
    expect(await refusalOf(at(node, "redis"))).toMatch(/is a node of a Cluster; write redis\+cluster/);
    expect(await refusalOf(at(sentinel, "redis"))).toMatch(/is a Sentinel and no Redis; write redis\+sentinel/);
    expect(await refusalOf(at(open, "redis+cluster"))).toMatch(/is no node of a Redis Cluster; write redis:/);
    expect(await refusalOf(`${at(open, "redis+sentinel")}/main`)).toMatch(/is no Sentinel; name the Sentinels/);
  });

  it("where the Sentinels watch no master of the name", async () => {
    expect(await refusalOf(sentinels.url.replace(/\w+-\w+$/, "other"))).toMatch(/watch no master of that name; correct the name/);
    const [sentinel] = sentinels.sentinels as [RedisProcess];
    const link = await links.open(`redis+sentinel://127.0.0.1:1,127.0.0.1:${sentinel.port}/${sentinels.name}`);
    expect(link.isReady).toBe(true);
  });

  it(
    "where the port speaks no TLS",
    async () => {
      expect(await refusalOf(at(open, "rediss"))).toMatch(/does not speak TLS; write redis for rediss/);
      const http = await listen(createHttpServer());
      expect(await refusalOf(`rediss://127.0.0.1:${http.port}`)).toMatch(/does not speak TLS; write redis:/);
      await http.close();
    },
    SLOW,
  );

  it(
    "but waits where nobody answers, or what answers says nothing or closes",
    async () => {
      const mute = await listen(createServer());
      const curt = await listen(createServer((socket) => socket.destroy()));
      const urls = [
        "redis://127.0.0.1:1",
        `redis://127.0.0.1:${mute.port}`,
        `redis://127.0.0.1:${curt.port}`,
        "redis+cluster://127.0.0.1:1",
      ];
      const opened = await Promise.all(
        [...urls, "redis+sentinel://127.0.0.1:1/m", "redis://nowhere.invalid"].map((url) => links.open(url)),
      );
      expect(opened.map(({ isReady }) => isReady)).toEqual(urls.map(() => false).concat(false, false));
      await links.closeAll();
      await mute.close();
      await curt.close();
    },
    SLOW,
  );
});

describe("a link by TLS", () => {
  const programs: LinkProgram[] = [];
  afterEach(() => {
    for (const program of programs.splice(0)) program.kill();
  });
  const start = (url: string, env?: Record<string, string>) => {
    const program = new LinkProgram(url, env);
    programs.push(program);
    return program;
  };
  let redis: RedisProcess;
  let front: Awaited<ReturnType<typeof listen>>;
  let dir: string;
  let authority: string;
  beforeAll(async () => {
    redis = await startRedis();
    const certificate = makeCertificate();
    front = await listen(
      createTlsServer(certificate, (client) => {
        const server = connect(redis.port, "127.0.0.1");
        for (const [from, to] of [
          [client, server],
          [server, client],
        ] as const) {
          from.on("error", () => to.destroy());
          from.pipe(to);
        }
      }),
    );
    dir = await mkdtemp(join(tmpdir(), "belfry-authority-"));
    authority = join(dir, "authority.pem");
    await writeFile(authority, certificate.cert);
  });
  afterAll(async () => {
    await front.close();
    await redis.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it.each(["127.0.0.1", "localhost"])(
    "accepts the certificate of an authority that NODE_EXTRA_CA_CERTS names, for %s",
    async (host) => {
      const program = start(`rediss://${host}:${front.port}`, { NODE_EXTRA_CA_CERTS: authority });
      await until("it is ready", () => program.ready > 0 || program.ended !== null, SLOW);
      expect(await program.stop()).toEqual({ code: 0, complaint: "" });
      expect(program.refused).toBeNull();
    },
    SLOW,
  );

  it(
    "refuses any other",
    async () => {
      const program = start(`rediss://127.0.0.1:${front.port}`);
      await until("it has ended", () => program.ended !== null, SLOW);
      expect(program.refused).toMatch(/certificate is not accepted; name the certificate of its authority in NODE_EXTRA_CA_CERTS/);
    },
    SLOW,
  );

  it("is refused where the address says nothing of TLS", async () => {
    expect(await refusalOf(`redis://127.0.0.1:${front.port}`)).toMatch(/speaks TLS; write rediss/);
  });
});
