import { once } from "node:events";

// How often the parent process is looked for, in ms.
const pollEvery = 500;

/**
 * Resolves when the process should stop: on SIGTERM and SIGINT and, under npx and npm scripts, when the parent process has
 * ended. These run a command in a shell that does not pass SIGTERM on, so the parent's end is the only sign of it.
 */
export async function untilStopped(env: NodeJS.ProcessEnv): Promise<string> {
  const { promise: orphaned, resolve } = Promise.withResolvers<string>();
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) resolve("the parent process has ended");
  }, pollEvery);
  // Under a process manager, the parent may end on purpose.
  if (env["npm_execpath"] === undefined) clearInterval(timer);
  const signals = ["SIGTERM", "SIGINT"].map((signal) => once(process, signal).then(() => signal));
  const reason = await Promise.race([...signals, orphaned]);
  clearInterval(timer);
  return reason;
}
