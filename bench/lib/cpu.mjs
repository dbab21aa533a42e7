/** What a process and a core have cost, as Linux counts it. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** The core that the server under test (and its database) has to itself, and the core of the load generator. */
export const SERVER_CORE = 0;
const LOAD_CORE = 1;

/** Length of one unit of /proc's clocks in seconds (USER_HZ, 100 on every Linux that Node runs on). */
const TICK_SECONDS = 0.01;

/** Throws an Error that says what to install when processes cannot be pinned here. */
export function requirePinning() {
  try {
    execFileSync("taskset", ["-c", "-p", String(process.pid)], { stdio: "pipe" });
  } catch (error) {
    throw new Error(
      "The bench pins the server and the load to separate cores and needs Linux with `taskset` (Debian and Ubuntu: apt-get install " +
        `util-linux; Alpine: apk add util-linux). Running it failed: ${error.message}`,
    );
  }
  if (readFileSync("/proc/stat", "utf8").match(/^cpu\d+ /gm).length <= Math.max(SERVER_CORE, LOAD_CORE)) {
    throw new Error("The bench needs at least two cores: one for the server, one for the load generator.");
  }
}

/** Both, where there are two servers, which the load generator then shares them with. */
export const CORES = [SERVER_CORE, LOAD_CORE];

function pin(pid, cores) {
  execFileSync("taskset", ["-a", "-c", "-p", cores, String(pid)], { stdio: "pipe" });
}

/** Pins this process, all its threads included, to the load generator's core. */
export function pinLoadGenerator() {
  pin(process.pid, String(LOAD_CORE));
}

/** Lets processes, this one where none are named, run on both cores. */
export function spreadOverCores(pids = [process.pid]) {
  for (const pid of pids) pin(pid, CORES.join(","));
}

/** CPU seconds (user + system, all threads) that the processes have used so far. */
function processSeconds(pids) {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name is in parentheses and may hold spaces: count the fields after it. utime and stime are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * TICK_SECONDS;
}

/** The same in milliseconds, to the nanosecond: for spans too short for /proc's clocks. Threads that have ended are not in it. */
export function processMilliseconds(pids) {
  let nanoseconds = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      try {
        nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
      } catch (error) {
        // It ended between the two looks.
        if (error.code !== "ENOENT" && error.code !== "ESRCH") throw error;
      }
    }
  }
  return nanoseconds / 1e6;
}

/** CPU seconds that a core has been busy with anything since the machine started. */
function coreSeconds(core) {
  const line = readFileSync("/proc/stat", "utf8").match(new RegExp(`^cpu${core} (.*)$`, "m"))[1];
  const [user, nice, system, , , irq, softirq, steal] = line.split(" ").map(Number);
  return (user + nice + system + irq + softirq + steal) * TICK_SECONDS;
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid) {
  return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmRSS:\s+(\d+) kB$/m)[1]) * 1024;
}

/** Throws an Error that says what to do unless each of the processes may have `needed` files and sockets open. */
export function requireOpenFiles(pids, needed) {
  for (const pid of pids) {
    const limit = Number(readFileSync(`/proc/${pid}/limits`, "utf8").match(/^Max open files\s+(\d+)/m)[1]);
    if (limit < needed) throw new Error(`${needed} open files are needed and ${limit} allowed: run \`ulimit -n ${needed}\` first`);
  }
}

/**
 * Measures a window: call it at the start, call what it returns at the end. `pids`: the server, and its database where that is a process of
 * its own. Result: `wall` seconds, `cpu` seconds of the processes, `storeShare` of them the database's, `load` seconds of this process, and
 * `others`, the share of the server's core that went to anything else (above 0.05 the figures are doubtful).
 */
export function openWindow(pids) {
  const [, ...storePids] = pids;
  const start = {
    at: performance.now(),
    cpu: processSeconds(pids),
    store: processSeconds(storePids),
    core: coreSeconds(SERVER_CORE),
    load: processSeconds([process.pid]),
  };
  return () => {
    const wall = (performance.now() - start.at) / 1000;
    const cpu = processSeconds(pids) - start.cpu;
    const load = processSeconds([process.pid]) - start.load;
    const others = Math.max(0, coreSeconds(SERVER_CORE) - start.core - cpu) / wall;
    const storeShare = (processSeconds(storePids) - start.store) / cpu;
    return { wall, cpu, storeShare, load, others };
  };
}

/**
 * The same for many processes on both cores. `groups`: `{ services, stores, buses }`, process ids of each. Result: `wall` seconds, `cpu`
 * seconds of all, `storeShare` and `busShare` of them those of the databases and of Redis, `load` seconds of this process, and `others`, the
 * share of both cores that went to anything else.
 */
export function openWindowOnBoth({ services, stores, buses }) {
  const look = () => ({
    at: performance.now(),
    services: processSeconds(services),
    stores: processSeconds(stores),
    buses: processSeconds(buses),
    load: processSeconds([process.pid]),
    cores: coreSeconds(SERVER_CORE) + coreSeconds(LOAD_CORE),
  });
  const start = look();
  return () => {
    const end = look();
    const since = (key) => end[key] - start[key];
    const wall = since("at") / 1000;
    const cpu = since("services") + since("stores") + since("buses");
    return {
      wall,
      cpu,
      storeShare: since("stores") / cpu,
      busShare: since("buses") / cpu,
      load: since("load"),
      others: Math.max(0, since("cores") - cpu - since("load")) / (2 * wall),
    };
  };
}
