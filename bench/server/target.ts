import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServerOptions } from "../../reference-server/server.ts";
import type { Ask, Kind, Memory } from "./child.ts";

/** A server in a process of its own. */
export interface Target {
  readonly kind: Kind;
  readonly url: string;
  memory(): Promise<Memory>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

/** Limits that count by address make no sense where all clients are on one machine. */
export const unlimited: NonNullable<ServerOptions["limits"]> = {
  socketsPerAddress: 1_000_000,
  socketsBeforeSignIn: 1_000_000,
  socketsPerAccount: 1_000_000,
  frameRate: 1_000_000,
  frameBurst: 1_000_000,
};

/** Starts a server; resolves once it listens. */
export async function startTarget(kind: Kind, options: ServerOptions = {}): Promise<Target> {
  const child = fork(fileURLToPath(new URL("child.ts", import.meta.url)), { execArgv: ["--expose-gc"] });
  // One question at a time.
  async function ask(question: Ask): Promise<unknown> {
    const answer = once(child, "message");
    child.send(question);
    return (await answer)[0];
  }
  const url = (await ask({ ask: "start", kind, options: { limits: unlimited, ...options } })) as string;
  return {
    kind,
    url,
    memory: async () => (await ask({ ask: "memory" })) as Memory,
    async kill() {
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
  };
}
