import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ServerOptions } from "../../reference-server/server.ts";
import type { Memory, ServerCommand, ServerKind } from "./child.ts";

/** A server in its own process. */
export interface ServerUnderTest {
  readonly kind: ServerKind;
  readonly url: string;
  memory(): Promise<Memory>;
  /** Processor time that the server has used, in ms. */
  processorTime(): Promise<number>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

/** Without limits by address, because all clients run on one machine. */
export const unlimited: NonNullable<ServerOptions["limits"]> = {
  socketsPerAddress: 1_000_000,
  socketsBeforeSignIn: 1_000_000,
  socketsPerAccount: 1_000_000,
  roomJoins: 1_000_000,
  frameRate: 1_000_000,
  frameBurst: 1_000_000,
};

/** Starts a server; resolves once it listens. */
export async function startServerUnderTest(kind: ServerKind, options: ServerOptions = {}): Promise<ServerUnderTest> {
  const child = fork(fileURLToPath(new URL("child.ts", import.meta.url)), { execArgv: ["--expose-gc"] });
  // One command at a time.
  async function ask(question: ServerCommand): Promise<unknown> {
    const answer = once(child, "message");
    child.send(question);
    return (await answer)[0];
  }
  const url = (await ask({ ask: "start", kind, options: { limits: unlimited, ...options } })) as string;
  return {
    kind,
    url,
    memory: async () => (await ask({ ask: "memory" })) as Memory,
    processorTime: async () => (await ask({ ask: "processorTime" })) as number,
    async kill() {
      const exit = once(child, "exit");
      child.kill("SIGKILL");
      await exit;
    },
  };
}
