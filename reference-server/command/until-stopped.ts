import { once } from "node:events";
import { readFileSync } from "node:fs";

// How often the parent process is looked for, in ms.
const pollEvery = 500;

/**
 * Resolves when the process should stop: on SIGTERM and SIGINT and, under npx and npm scripts, when the parent process or npm
 * has ended. npm runs a command in a shell, which does not pass signals on. SIGTERM ends both, SIGHUP and SIGKILL only npm, and
 * after SIGINT npm waits for the command, since a terminal sends it to all processes.
 */
export async function untilStopped(env: NodeJS.ProcessEnv): Promise<string> {
  const { promise: orphaned, resolve } = Promise.withResolvers<string>();
  const parents = readParents();
  const timer = setInterval(() => {
    if (readParents() !== parents) resolve("the parent process has ended");
  }, pollEvery);
  // Under a process manager, the parent may end on purpose.
  if (env["npm_execpath"] === undefined) clearInterval(timer);
  const signals = ["SIGTERM", "SIGINT"].map((signal) => once(process, signal).then(() => signal));
  const reason = await Promise.race([...signals, orphaned]);
  clearInterval(timer);
  return reason;
}

/** Returns the id of the parent process and, on Linux, of a shell's own parent. */
function readParents(): string {
  const parent = `${process.ppid}`;
  try {
    // proc(5): "id (name) state parent …"
    const [, name = "", grandparent] = /\((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${parent}/stat`, "utf8")) ?? [];
    return /^[a-z]*sh$/.test(name) ? `${parent} ${grandparent}` : parent;
  } catch {
    return parent;
  }
}
