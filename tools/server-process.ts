import { once } from "node:events";
import type { ServerOptions } from "../reference-server/server.ts";
import { createCaller, forkIn } from "./child-methods.ts";

/** Options of {@link startServer}. They cannot contain functions, because the server runs in its own process. */
export interface ServerSetup {
  /** Passwords by user name. */
  readonly accounts?: Readonly<Record<string, string>>;
  /** Pairs of users that trust each other, with their aliases. */
  readonly trust?: readonly Trust[];
  /** Default: a free port and a store in memory. */
  readonly options?: Omit<
    ServerOptions,
    "server" | "authenticate" | "trusted" | "mail" | "log" | "store" | "cluster"
  > & {
    readonly store?: string;
    readonly cluster?: string;
  };
  /** A command prefix for its process, for example to enter a network namespace. */
  readonly enter?: readonly string[];
}

/** `[a, aliasOfB, b, aliasOfA]`: `a` knows `b` as `aliasOfB`, and `b` knows `a` as `aliasOfA`. */
export type Trust = readonly [a: string, aliasOfB: string, b: string, aliasOfA: string];

/** A discovery server in its own process, so that a test can kill it. */
export interface ServerProcess {
  /** `ws://127.0.0.1:…` */
  readonly url: string;
  readonly pid: number;
  addAccount(username: string, password: string): Promise<void>;
  removeAccount(username: string): Promise<void>;
  trust(...trust: Trust): Promise<void>;
  invite(email: string): Promise<{ link: string; expires: string }>;
  /** Closes the server gracefully, then ends its process. */
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

/** Starts the reference server. Resolves once it listens; rejects with the error of its process. */
export async function startServer(setup: ServerSetup = {}): Promise<ServerProcess> {
  const child = forkIn(setup.enter ?? [], new URL("server-child.ts", import.meta.url));
  const ended = once(child, "exit");
  child.unref();
  const call = createCaller(child);
  const { url } = (await call("start", setup.options ?? {}).catch((failure: unknown) => {
    child.kill();
    throw failure;
  })) as { url: string };
  for (const [name, password] of Object.entries(setup.accounts ?? {})) await call("add", name, password);
  for (const trust of setup.trust ?? []) await call("trust", ...trust);

  return {
    url,
    pid: child.pid!,
    addAccount: async (username, password) => void (await call("add", username, password)),
    removeAccount: async (username) => void (await call("remove", username)),
    trust: async (...trust) => void (await call("trust", ...trust)),
    invite: async (email) => (await call("invite", email)) as { link: string; expires: string },
    async stop() {
      child.ref();
      await call("stop");
      child.disconnect();
      await ended;
    },
    async kill() {
      child.ref();
      child.kill("SIGKILL");
      await ended;
    },
  };
}
