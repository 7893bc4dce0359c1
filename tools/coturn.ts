import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A TURN server over UDP and TCP that accepts credentials derived from its secret. */
export interface Coturn {
  /** Its log so far. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

/** Options of {@link startCoturn}. `enter` is a command prefix. */
export interface CoturnOptions {
  readonly enter: readonly string[];
  readonly address: string;
  readonly secret: string;
}

/** Starts coturn on port 3478. Resolves once it listens; rejects with its log. */
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
