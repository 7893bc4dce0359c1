import { endProgram, freePort, startProgram } from "./process.ts";

/** A Redis of a test's own, with nothing in it and nothing on disk. */
export interface TestRedis {
  readonly url: string;
  /** `kill -9`: everything in it is lost. */
  kill(): Promise<void>;
  /** Again, empty, at the same URL. */
  start(): Promise<void>;
  /** It takes connections and answers nothing, until it is woken; nothing in it is lost. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

/** Starts `redis-server` (or what `REDIS_SERVER` names) on a free port. */
export async function startRedis(): Promise<TestRedis> {
  const port = await freePort();
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const start = () => startProgram(process.env["REDIS_SERVER"] ?? "redis-server", args, "Ready to accept connections");
  let child = await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill: () => endProgram(child, "SIGKILL"),
    async start() {
      child = await start();
    },
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    stop: () => endProgram(child, "SIGKILL"),
  };
}
