import { openTemporaryMongo } from "../support/open-stores.js";
import { logContract } from "./log.contract.js";
import { storeContract } from "./stores.contract.js";

storeContract("MongoDB", openTemporaryMongo);
logContract("MongoDB", openTemporaryMongo, "shared");
