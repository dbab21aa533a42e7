import {
  launchRedis,
  launchRedisCluster,
  launchSentinels,
  type RedisCluster,
  type RedisOptions,
  type RedisProcess,
  type SentinelOptions,
  type Sentinels,
} from "./redis-process.mjs";

export type { RedisCluster, RedisProcess, Sentinels } from "./redis-process.mjs";

/** The run's Redis, which other tests use at the same time: no faults, and channels of one's own. @throws Error as `startRedis` does. */
export function sharedRedis(): string {
  return fromRun("TEST_REDIS_URL");
}

/**
 * A Redis for one test alone, which may kill or freeze it.
 * @throws Error when the test was started without a binary.
 */
export function startRedis(options: RedisOptions = {}): Promise<RedisProcess> {
  return launchRedis(binary(), options);
}

const own: RedisProcess[] = [];

/** As `startRedis`, for one test of a file whose `afterEach` calls `stopOwn`. */
export async function startOwn(options: RedisOptions = {}): Promise<RedisProcess> {
  const redis = await startRedis(options);
  own.push(redis);
  return redis;
}

/** Ends what `startOwn` has started, whatever became of the test. */
export async function stopOwn(): Promise<void> {
  await Promise.all(own.splice(0).map((redis) => redis.stop()));
}

/** A master, a replica and three Sentinels, which promote the replica within seconds. */
export function startSentinels(options: SentinelOptions = {}): Promise<Sentinels> {
  return launchSentinels(binary(), options);
}

/** A Redis Cluster of three masters; `replicas`: one replica for each of them, which is promoted within seconds (default false). */
export function startRedisCluster(options: { replicas?: boolean } = {}): Promise<RedisCluster> {
  return launchRedisCluster(binary(), options);
}

function binary(): string {
  return fromRun("TEST_REDIS_SERVER");
}

function fromRun(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`There is no ${variable}: run the tests by \`npm test\`, which gets a Redis for itself.`);
  return value;
}
