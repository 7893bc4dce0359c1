import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A TURN server that takes the credentials minted with its secret, over UDP and TCP. */
export interface Coturn {
  /** What it has said so far. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

/** Where and how it runs; `enter` being the words before its command. */
export interface CoturnOptions {
  readonly enter: readonly string[];
  readonly address: string;
  readonly secret: string;
}

/** Starts coturn on port 3478; resolves once it listens, rejects with what it said. */
export async function startCoturn({ enter, address, secret }: CoturnOptions): Promise<Coturn> {
  const folder = await mkdtemp(join(tmpdir(), "coturn-"));
  const [command = "", ...args] = [
    ...enter,
    "turnserver",
    "-n",
    "--verbose",
    "--log-file=stdout",
    "--use-auth-secret",
    `--static-auth-secret=${secret}`,
    "--realm=example.org",
    `--listening-ip=${address}`,
    `--relay-ip=${address}`,
    "--no-cli",
    "--no-tls",
    "--no-dtls",
    `--pidfile=${join(folder, "pid")}`,
    `--userdb=${join(folder, "users")}`,
  ];
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"] });
  const ended = once(child, "exit");
  const lines: string[] = [];
  const listening = Promise.withResolvers<void>();
  createInterface(child.stdout).on("line", (line) => {
    lines.push(line);
    if (line.includes("UDP listener opened")) listening.resolve();
  });

  async function stop(): Promise<void> {
    child.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  }

  const died = ended.then(([code]) => Promise.reject(new Error(`coturn ended with ${code}: ${lines.join("\n")}`)));
  await Promise.race([listening.promise, died]);
  died.catch(() => {});
  return { lines, stop };
}
