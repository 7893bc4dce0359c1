import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { endProgram, freePort, startProgram } from "./process.ts";

/** A PostgreSQL server of a test. */
export interface TestPostgres {
  readonly port: number;
  /** Creates an empty database; resolves to its URL. */
  database(): Promise<string>;
  /** The URL of a database of this name. */
  url(database: string): string;
  /** Starts a streaming replica; resolves when it has received everything. */
  replica(): Promise<TestPostgres>;
  /** Makes a replica the primary; resolves when it accepts writes. */
  promote(): Promise<void>;
  /** Runs a statement as the administrator. */
  run(statement: string): Promise<void>;
  /** Breaks all connections; the server returns with all data, at the same URL. */
  restart(): Promise<void>;
  /** `kill -9` of the server, without a restart. */
  kill(): Promise<void>;
  /** Stops the server's answers: connections are accepted and stay open. */
  pause(): void;
  stop(): Promise<void>;
}

/** Starts a new PostgreSQL on a free port, in a temporary folder. `POSTGRES_BIN` names the folder of its programs. */
export async function startPostgres(...settings: string[]): Promise<TestPostgres> {
  return startIn(createFolder(), ["initdb", "-U", "tester", "-A", "trust", "--no-sync"], settings);
}

interface Folder {
  readonly path: string;
  readonly options: { readonly cwd: string; readonly uid?: number; readonly gid?: number };
}

function createFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "bonevalue-postgres-"));
  // PostgreSQL refuses to run as root.
  const user = process.getuid?.() === 0 ? idsOf("postgres") : {};
  if (user.uid !== undefined) chownSync(path, user.uid, user.gid ?? 0);
  return { path, options: { cwd: path, ...user } };
}

async function startIn(folder: Folder, create: readonly string[], settings: readonly string[]): Promise<TestPostgres> {
  const programs = process.env["POSTGRES_BIN"] ?? installed();
  const { path, options } = folder;
  const port = await freePort();
  const data = ["-D", join(path, "data")];
  const [program = "", ...flags] = create;
  execFileSync(join(programs, program), [...data, ...flags], { ...options, stdio: "pipe" });
  const listening = ["-k", path, "-h", "127.0.0.1", "-p", `${port}`];
  const fixed = ["fsync=off", "max_connections=200", ...settings].flatMap((setting) => ["-c", setting]);
  const start = () =>
    startProgram(join(programs, "postgres"), [...data, ...listening, ...fixed], "ready to accept", options);
  let child = await start();
  const url = (database: string) => `postgres://tester@127.0.0.1:${port}/${database}`;
  let databases = 0;

  async function query(statement: string): Promise<any[]> {
    const client = new pg.Client(url("postgres"));
    client.on("error", () => {});
    await client.connect();
    try {
      return (await client.query(statement)).rows;
    } finally {
      await client.end();
    }
  }

  return {
    port,
    url,
    async database() {
      const name = `test${++databases}`;
      await query(`create database ${name}`);
      return url(name);
    },
    replica: () =>
      startIn(createFolder(), ["pg_basebackup", "-R", "-X", "stream", "-c", "fast", "-d", url("postgres")], settings),
    async promote() {
      await query("select pg_promote(true)");
    },
    async run(statement) {
      await query(statement);
    },
    async restart() {
      await endProgram(child, "SIGQUIT");
      child = await start();
    },
    kill: () => endProgram(child, "SIGKILL"),
    pause() {
      for (const pid of [child.pid, ...childrenOf(child.pid)]) process.kill(pid as number, "SIGSTOP");
    },
    async stop() {
      // "Immediate" shutdown: the data is not needed any more. A paused server has to be killed.
      for (const pid of childrenOf(child.pid)) killQuietly(pid);
      await endProgram(child, "SIGKILL");
      rmSync(path, { recursive: true, force: true });
    },
  };
}

function childrenOf(pid: number | undefined): number[] {
  try {
    return execFileSync("ps", ["-o", "pid=", "--ppid", `${pid}`], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map(Number);
  } catch {
    // ps exits with 1 if there are none.
    return [];
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

function installed(): string {
  const root = "/usr/lib/postgresql";
  const version = readdirSync(root).sort((a, b) => Number(b) - Number(a))[0];
  return join(root, version ?? "", "bin");
}

function idsOf(user: string): { uid?: number; gid?: number } {
  const id = (flag: string) => Number(execFileSync("id", [flag, user]));
  return { uid: id("-u"), gid: id("-g") };
}
