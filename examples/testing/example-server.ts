import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A process that serves the examples. */
export interface ExampleServer {
  /** `http://127.0.0.1:…/` */
  readonly url: string;
  /** Stops it with SIGINT. Resolves to its exit code. */
  close(): Promise<number | null>;
}

/** Serves the examples in these folders, like `npm run examples`. */
export async function serveExamples(...folders: readonly string[]): Promise<ExampleServer> {
  const main = fileURLToPath(new URL("../serve.ts", import.meta.url));
  const child = spawn("node", [main, "--port", "0", ...folders], {
    // Vitest's own NODE_ENV would build the frameworks for development.
    env: { ...process.env, NODE_ENV: "production" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  return {
    url: await urlOf(child),
    async close() {
      child.kill("SIGINT");
      const [code] = await ended;
      return code;
    },
  };
}

async function urlOf({ stdout }: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: stdout! })) {
    const url = /http:\S+/.exec(line)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error("The examples ended before they printed their URL.");
}
