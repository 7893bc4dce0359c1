import { tmpdir } from "node:os";
import { createClient } from "@redis/client";
import { endProgram, freePort, startProgram } from "./process.ts";

/** A Redis server of a test, empty and without files. */
export interface TestRedis {
  readonly url: string;
  /** `kill -9`: all data is lost. */
  kill(): Promise<void>;
  /** Starts it again, empty, at the same URL. */
  start(): Promise<void>;
  /** It accepts connections and answers nothing until `resume`; no data is lost. */
  pause(): void;
  resume(): void;
  /** Ends the lease of a node at once, as if it had expired. */
  endLease(node: string): Promise<void>;
  /** The node that holds this peer; undefined if none does. */
  ownerOf(group: string, peer: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** Starts `redis-server` (or what `REDIS_SERVER` names) on a free port. */
export async function startRedis(...settings: string[]): Promise<TestRedis> {
  const port = await freePort();
  const args = [
    "--port",
    `${port}`,
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "no",
    "--dir",
    tmpdir(),
    "--dbfilename",
    `bonevalue-${port}.rdb`,
    ...settings,
  ];
  const start = () => startProgram(process.env["REDIS_SERVER"] ?? "redis-server", args, "Ready to accept connections");
  let child = await start();
  const url = `redis://127.0.0.1:${port}`;
  const connect = () => createClient({ url }).connect();

  async function ask<Result>(
    question: (client: Awaited<ReturnType<typeof connect>>) => Promise<Result>,
  ): Promise<Result> {
    const client = await connect();
    try {
      return await question(client);
    } finally {
      client.destroy();
    }
  }

  return {
    url,
    endLease: (node) => ask(async (client) => void (await client.del(`bonevalue:{node:${node}}:lease`))),
    ownerOf: (group, peer) =>
      ask(async (client) => (await client.hGet(`bonevalue:{group:${group}}:peers`, peer))?.split(" ")[0]),
    kill: () => endProgram(child, "SIGKILL"),
    async start() {
      child = await start();
    },
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    stop: () => endProgram(child, "SIGKILL"),
  };
}
