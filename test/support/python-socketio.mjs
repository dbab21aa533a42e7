import { access, mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { CACHE, firstOf, inScratch, run } from "./obtaining.mjs";

/** A client of Socket.IO in Python, and what it needs. */
const PACKAGES = [
  "python-socketio==5.18.1",
  "python-engineio==4.15.1",
  "bidict==0.24.1",
  "certifi==2026.10.18",
  "charset-normalizer==3.5.2",
  "h11==0.16.0",
  "idna==3.20",
  "requests==2.34.2",
  "simple-websocket==1.1.0",
  "typing-extensions==4.16.0",
  "urllib3==2.8.0",
  "websocket-client==1.9.2",
  "wsproto==1.3.2",
];

const FOLDER = join(CACHE, "python-socketio-5.18.1");

/** The folder that must be on PYTHONPATH to `import socketio`: kept from an earlier run, or made by pip. @returns {Promise<string>} */
export function obtainPythonSocketio() {
  return firstOf(
    [
      [FOLDER, kept],
      ["pip", installed],
    ],
    "The test of the Python client needs python-socketio and found none.",
    "Install Python 3.9 or later with pip so that `python3 -m pip` works, then run the test again.",
  );
}

async function kept() {
  await access(join(FOLDER, "socketio", "__init__.py"));
  return FOLDER;
}

function installed() {
  return inScratch(async (folder) => {
    const target = join(folder, "packages");
    await mkdir(target);
    const quiet = ["--quiet", "--disable-pip-version-check", "--no-warn-script-location", "--root-user-action=ignore"];
    await run("python3", ["-m", "pip", "install", "--no-deps", ...quiet, "--target", target, ...PACKAGES]);
    // Another run may have been faster.
    await rename(target, FOLDER).catch(kept);
    return FOLDER;
  });
}
