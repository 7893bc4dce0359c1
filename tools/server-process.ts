import { once } from "node:events";
import type { ServerOptions } from "../reference-server/server.ts";
import { forkIn, ordersTo } from "./orders.ts";

/** What a test's discovery server begins with. Functions cannot be given: it runs in a process of its own. */
export interface ServerSetup {
  /** Passwords by user name. */
  readonly accounts?: Readonly<Record<string, string>>;
  /** `[a, aliasOfB, b, aliasOfA]`: `a` calls `b` by `aliasOfB`, and the other way round. */
  readonly trust?: readonly Trust[];
  /** Default: a free port and a store in memory. */
  readonly options?: Omit<
    ServerOptions,
    "server" | "authenticate" | "trusted" | "mail" | "log" | "store" | "cluster"
  > & {
    readonly store?: string;
    readonly cluster?: string;
  };
  /** The words before the command of its process, such as those that put it into a network namespace. */
  readonly enter?: readonly string[];
}

/** `[a, aliasOfB, b, aliasOfA]` */
export type Trust = readonly [a: string, aliasOfB: string, b: string, aliasOfA: string];

/** A discovery server in a process of its own, so that a test can kill it. */
export interface ServerProcess {
  /** `ws://127.0.0.1:…` */
  readonly url: string;
  readonly pid: number;
  addAccount(username: string, password: string): Promise<void>;
  removeAccount(username: string): Promise<void>;
  trust(...trust: Trust): Promise<void>;
  invite(email: string): Promise<{ link: string; expires: string }>;
  /** Closes the server as an operator would, then ends its process. */
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

/** Starts the reference server; resolves once it listens, rejects with what its process said. */
export async function startServer(setup: ServerSetup = {}): Promise<ServerProcess> {
  const child = forkIn(setup.enter ?? [], new URL("server-child.ts", import.meta.url));
  const ended = once(child, "exit");
  child.unref();
  const order = ordersTo(child);
  const { url } = (await order("start", setup.options ?? {}).catch((failure: unknown) => {
    child.kill();
    throw failure;
  })) as { url: string };
  for (const [name, password] of Object.entries(setup.accounts ?? {})) await order("add", name, password);
  for (const trust of setup.trust ?? []) await order("trust", ...trust);

  return {
    url,
    pid: child.pid!,
    addAccount: async (username, password) => void (await order("add", username, password)),
    removeAccount: async (username) => void (await order("remove", username)),
    trust: async (...trust) => void (await order("trust", ...trust)),
    invite: async (email) => (await order("invite", email)) as { link: string; expires: string },
    async stop() {
      child.ref();
      await order("stop");
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
