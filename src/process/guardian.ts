/**
 * The guardian where no shell can be it: the same as `GUARDIAN_SCRIPT`, with the same arguments. A program of its own, which nothing imports.
 */
const [pid = 0, seconds = 1, looks = 1] = process.argv.slice(2).map(Number);

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.on(signal, () => {});

let missed = 0;
process.stdin.once("data", () => setInterval(look, seconds * 1_000));
process.stdin.on("data", () => {
  missed = 0;
});
process.stdin.on("end", () => process.exit(0));
process.stdin.on("error", () => process.exit(0));
process.stdout.write("ready\n");

function look(): void {
  if (++missed < looks) return;
  process.kill(pid, "SIGKILL");
  process.stderr.write(`watchdog: process ${pid} showed no sign of life for ${looks} times ${seconds} s and was killed\n`, () =>
    process.exit(0),
  );
}
