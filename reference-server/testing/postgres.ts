import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { endProgram, freePort, startProgram } from "./process.ts";

/** A PostgreSQL of a test's own. */
export interface TestPostgres {
  /** Makes an empty database; resolves to its URL. */
  database(): Promise<string>;
  /** Breaks all connections; comes back with all data, at the same URL. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a new PostgreSQL on a free port, in a temporary folder. `POSTGRES_BIN` says where its programs are. */
export async function startPostgres(): Promise<TestPostgres> {
  const programs = process.env["POSTGRES_BIN"] ?? installed();
  const folder = mkdtempSync(join(tmpdir(), "bonevalue-postgres-"));
  const port = await freePort();
  // It refuses to run as root.
  const user = process.getuid?.() === 0 ? idsOf("postgres") : {};
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid ?? 0);
  const options = { cwd: folder, ...user };
  const data = ["-D", join(folder, "data")];
  execFileSync(join(programs, "initdb"), [...data, "-U", "tester", "-A", "trust", "--no-sync"], {
    ...options,
    stdio: "pipe",
  });
  const listening = ["-k", folder, "-h", "127.0.0.1", "-p", `${port}`];
  const settings = ["-c", "fsync=off", "-c", "max_connections=200"];
  const start = () =>
    startProgram(
      join(programs, "postgres"),
      [...data, ...listening, ...settings],
      "ready to accept connections",
      options,
    );
  let child = await start();
  const url = (database: string) => `postgres://tester@127.0.0.1:${port}/${database}`;
  let databases = 0;

  return {
    async database() {
      const name = `test${++databases}`;
      const client = new pg.Client(url("postgres"));
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      return url(name);
    },
    async restart() {
      await endProgram(child, "SIGQUIT");
      child = await start();
    },
    async stop() {
      // An "immediate" shutdown: nothing in it is wanted any more.
      await endProgram(child, "SIGQUIT");
      rmSync(folder, { recursive: true, force: true });
    },
  };
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
