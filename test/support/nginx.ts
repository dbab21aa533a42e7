import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { type Certificate, makeCertificate } from "./certificate.js";
import { until } from "./member.js";
import { obtainNginx } from "./nginx-binary.js";

/** The files that operators use. */
const CONFIGS = fileURLToPath(new URL("../../deploy/nginx/", import.meta.url));

export type Layout = "one-layer" | "two-layers";

/** A running nginx with a configuration of `deploy/nginx`, as any user, on free ports, in front of two nodes. */
export class Nginx {
  private constructor(
    readonly port: number,
    readonly httpPort: number,
    readonly certificate: Certificate,
    readonly folder: string,
    private readonly child: ChildProcess,
    private readonly ended: Promise<unknown>,
  ) {}

  /** Where members and servers find it, such as `https://127.0.0.1:8443`. */
  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** @param nodes the ports of the nodes. */
  static async start(layout: Layout, nodes: [number, number]): Promise<Nginx> {
    const binary = await obtainNginx();
    const folder = await mkdtemp(join(tmpdir(), "belfry-nginx-"));
    const [port, httpPort, innerPort] = await freePorts(3);
    const certificate = makeCertificate();
    const text = await readFile(join(CONFIGS, `${layout}.conf`), "utf8");
    await mkdir(join(folder, "logs"));
    await writeFile(join(folder, "cert.pem"), certificate.cert);
    await writeFile(join(folder, "key.pem"), certificate.key);
    await writeFile(join(folder, "nginx.conf"), adapted(text, { layout, folder, nodes, ports: [port, httpPort, innerPort] }));
    const child = spawn(binary, ["-p", folder, "-c", "nginx.conf", "-e", "logs/error.log", "-g", "daemon off;"], { stdio: "ignore" });
    const nginx = new Nginx(port, httpPort, certificate, folder, child, once(child, "exit"));
    try {
      await until(`nginx to listen on port ${port}`, () => nginx.#listens());
      return nginx;
    } catch (error) {
      const log = await nginx.log("error");
      await nginx.stop();
      throw new Error(`${(error as Error).message}\n${log}`);
    }
  }

  /** What it has logged so far. */
  log(name: "access" | "error"): Promise<string> {
    return readFile(join(this.folder, "logs", `${name}.log`), "utf8").catch(() => "");
  }

  async stop(): Promise<void> {
    // The fast way, with all its workers: waiting for WebSockets is for reloads.
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGTERM");
    await this.ended;
    await rm(this.folder, { recursive: true, force: true });
  }

  async #listens(): Promise<boolean> {
    if (this.child.exitCode !== null) throw new Error(`nginx ended with ${this.child.exitCode}`);
    const socket = connect({ port: this.port, host: "127.0.0.1", rejectUnauthorized: false });
    return new Promise((resolve) => {
      socket.once("secureConnect", () => resolve(true));
      socket.once("error", () => resolve(false));
    }).then((listens) => {
      socket.destroy();
      return listens as boolean;
    });
  }
}

interface Place {
  layout: Layout;
  folder: string;
  nodes: [number, number];
  ports: [edge: number, http: number, inner: number];
}

/**
 * The operator's file with this run's ports and folders, and with less of what a test machine may not allow. Each line that is replaced must
 * be there, so that the tests and the file do not drift apart.
 */
function adapted(text: string, { layout, folder, nodes, ports: [port, httpPort, innerPort] }: Place): string {
  const twoLayers: Array<[string, string, number]> = [
    ["listen 127.0.0.1:8080;", `listen 127.0.0.1:${innerPort};`, 1],
    ["server 127.0.0.1:8080;", `server 127.0.0.1:${innerPort};`, 1],
  ];
  // Where the tests run as root, the workers must still reach this run's folders.
  const user = process.getuid?.() === 0 ? "user root root;\n" : "";
  const changes: Array<[line: string, own: string, times: number]> = [
    ["listen 443 ssl;", `listen 127.0.0.1:${port} ssl;`, 1],
    ["listen 80;", `listen 127.0.0.1:${httpPort};`, 1],
    ["server belfry1:3000 ", `server 127.0.0.1:${nodes[0]} `, 2],
    ["server belfry2:3000 ", `server 127.0.0.1:${nodes[1]} `, 2],
    ["/etc/nginx/tls/", `${folder}/`, 2],
    ["/var/log/nginx/", `${folder}/logs/`, 2],
    ["worker_processes auto;", `worker_processes 2;\npid nginx.pid;\n${user}`, 1],
    [layout === "one-layer" ? "worker_rlimit_nofile 131072;" : "worker_rlimit_nofile 262144;", "", 1],
    [layout === "one-layer" ? "worker_connections 65536;" : "worker_connections 131072;", "worker_connections 1024;", 1],
    ["http {\n", `http {\n${temporaryFolders(folder)}`, 1],
    ...(layout === "two-layers" ? twoLayers : []),
  ];
  let own = text;
  for (const [line, replacement, times] of changes) {
    const parts = own.split(line);
    if (parts.length !== times + 1) throw new Error(`${layout}.conf has "${line}" ${parts.length - 1} times, and not ${times}.`);
    own = parts.join(replacement);
  }
  return own;
}

/** Those that are built into packages belong to root. */
function temporaryFolders(folder: string): string {
  const kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return kinds.map((kind) => `  ${kind}_temp_path ${folder}/${kind};\n`).join("");
}

async function freePorts(count: 3): Promise<[number, number, number]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports as [number, number, number];
}
