import { join } from "node:path";
import type { Logger } from "pino";
import { type Service, startService } from "./app.js";
import { RedisRefused } from "./cluster/index.js";
import { type Config, ConfigError, helpText, loadConfig, readTlsPair, wantsHelp } from "./config/index.js";
import { BelfryError } from "./errors.js";
import { onReloadSignal, onStopSignal, Watchdog } from "./process/index.js";
import { StoreRefused } from "./storage/types.js";
import { createLogger } from "./telemetry/index.js";

/** EX_CONFIG of sysexits.h: something in the configuration is wrong, and starting again does not help. */
const EXIT_CONFIG = 78;

await main(process.argv.slice(2));

async function main(argv: string[]): Promise<void> {
  if (wantsHelp(argv)) {
    process.stdout.write(helpText());
    return;
  }
  try {
    const { config, created } = await loadConfig(process.env, argv);
    await serve(config, created);
  } catch (error) {
    refuse(error);
  }
}

async function serve(config: Config, created: string[]): Promise<void> {
  const logger = createLogger(config);
  const starting = startService(config, logger);
  onReloadSignal(async () => renewCertificate(config, await starting, logger), logger);
  const service = await starting;
  const watched = config.watchdogMs > 0 ? Watchdog.start({ limitMs: config.watchdogMs, logger }) : null;
  onStopSignal(async () => {
    await service.stop();
    // Last, so that a stop that hangs is ended too.
    await (await watched)?.stop();
  }, logger);
  await watched;
  process.stdout.write(greeting(config, created, service.url, service.store));
}

/** Reads the certificate and its key again. @throws ConfigError where the new pair cannot be used. */
async function renewCertificate({ tls }: Config, service: Service, logger: Logger): Promise<void> {
  if (tls === null) {
    logger.info("SIGHUP: there is nothing to read again without TLS_CERT");
    return;
  }
  const pair = await readTlsPair(tls);
  service.renewTls(pair);
  logger.info({ certificate: pair.certFile, validTo: pair.validTo }, "SIGHUP: new connections get the certificate that was read again");
}

/** What a newcomer reads first: where to look, and a call to try. Keys are named by their place, so that no log keeps them. */
function greeting(config: Config, created: string[], url: string, store: string): string {
  const where = store === "sqlite" ? `embedded SQLite in ${config.dataDir}` : "MongoDB";
  const lines = [`Belfry is listening on ${url} (store: ${where})`];
  if (config.demo && config.tokenKeys.kind === "secret")
    lines.push(`Open ${url}: a small forum with two members side by side, to see it work.`);
  if (config.production) return `${lines.join("\n")}\n`;
  const keys = join(config.dataDir, "keys.json");
  if (created.length > 0) lines.push(`Made ${created.join(", ")} and kept them in ${keys}.`);
  lines.push(
    "Tell the member ada something, from another terminal:",
    "",
    `  curl ${url}/v1/notifications \\`,
    `    -H "Authorization: Bearer $(node -p 'JSON.parse(fs.readFileSync("${keys}")).apiKey')" \\`,
    "    -H 'Content-Type: application/json' \\",
    `    -d '{"to":["ada"],"type":"hello","text":"It works."}'`,
    "",
  );
  return `${lines.join("\n")}\n`;
}

function refuse(error: unknown): void {
  if (error instanceof ConfigError || error instanceof StoreRefused || error instanceof RedisRefused) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EXIT_CONFIG;
    return;
  }
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (error instanceof BelfryError && code === "unavailable") {
    // A set without a primary, say. Unlike a wrong setting, this passes.
    process.stderr.write(`The store was there and then did not answer, so the service has not started: ${error.message} Start it again.\n`);
    process.exitCode = 1;
    return;
  }
  if (code === "EADDRINUSE" || code === "EACCES" || code === "EADDRNOTAVAIL") {
    const fault =
      code === "EADDRINUSE" ? "the port is in use" : code === "EACCES" ? "the port may not be used by this user" : "no such address";
    process.stderr.write(`PORT, HOST: ${fault}; expected a free port of this machine, such as --port 3001.\n`);
    process.exitCode = EXIT_CONFIG;
    return;
  }
  throw error;
}
