import { type Service, startService } from "./service.js";

/** Two processes of the service on one MongoDB, with the same keys. Whoever starts them stops both. */
export async function startPair(mongodbUrl: string): Promise<[one: Service, other: Service]> {
  const one = await startService({ env: { MONGODB_URL: mongodbUrl } });
  try {
    const env = { MONGODB_URL: mongodbUrl, JWT_SECRET: one.jwtSecret, API_KEYS: one.apiKey };
    const other = await startService({ env });
    other.keys = one.keys;
    return [one, other];
  } catch (error) {
    await one.stop();
    throw error;
  }
}
