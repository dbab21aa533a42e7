/** Downloads a mongod into the folder given and prints its path: `node mongod-download.mjs FOLDER`. */
import { MongoBinary } from "mongodb-memory-server-core/lib/util/MongoBinary.js";

const downloadDir = process.argv[2];
if (downloadDir === undefined) throw new Error("name a folder");

try {
  console.log(await MongoBinary.getPath({ downloadDir }));
} catch (error) {
  console.error(String(error.message).replaceAll("\n", " "));
  process.exitCode = 1;
}
