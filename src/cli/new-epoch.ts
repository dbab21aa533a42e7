import { openStores } from "../app.js";
import { ConfigError, loadConfig } from "../config/index.js";
import { StoreRefused } from "../storage/types.js";
import { createLogger } from "../telemetry/index.js";

/**
 * `npm run new-epoch`: gives the history a new name. To be run once after a backup was restored, while the service is stopped: clients then
 * get a snapshot instead of going on from cursors of a history that is no more.
 */
try {
  const { config } = await loadConfig(process.env, process.argv.slice(2));
  const stores = await openStores(config, createLogger(config));
  const epoch = await stores.renewEpoch();
  await stores.close();
  process.stdout.write(`The epoch is now ${epoch}: every client starts from a snapshot.\n`);
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof StoreRefused)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 78;
}
