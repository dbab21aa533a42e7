import { openTemporarySqlite } from "../support/open-stores.js";
import { logContract } from "./log.contract.js";
import { storeContract } from "./stores.contract.js";

storeContract("SQLite", openTemporarySqlite);
logContract("SQLite", openTemporarySqlite, "one");
