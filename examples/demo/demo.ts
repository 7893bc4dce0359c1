import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "bonevalue-server";
import { cleanup } from "node-datachannel";
import { createAccounts } from "./accounts.ts";
import { addressesOf, isLoopback } from "./addresses.ts";
import { startNodePeer } from "./node-peer.ts";
import { openSite } from "./site.ts";

/** A running demo: a discovery server, two accounts that trust each other, a Node peer for each, and a page. */
export interface Demo {
  /** The URLs of the page. */
  readonly urls: readonly string[];
  /** Resolves when both Node peers have received a reply. Rejects when one of their calls fails. */
  readonly firstReplies: Promise<unknown>;
  /** Stops everything, and deletes the accounts. */
  close(): Promise<void>;
}

/** Options of {@link startDemo}. */
export interface DemoOptions {
  readonly host: string;
  /** Default: the first free port from 8000. */
  readonly port: number | undefined;
  /** Receives each log line of the Node peers. */
  log(who: string, line: string): void;
}

// Logs warnings and errors, but not every sign-in.
const serverLog = { ...console, debug() {}, info() {} };

/** Resolves once both Node peers are online. The caller closes it. */
export async function startDemo({ host, port, log }: DemoOptions): Promise<Demo> {
  const opened: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of opened.splice(0).reverse()) await end();
  };
  try {
    return await open();
  } catch (error) {
    await close();
    throw error;
  }

  async function open(): Promise<Demo> {
    const folder = await mkdtemp(join(tmpdir(), "bonevalue-demo-"));
    opened.push(() => rm(folder, { recursive: true }));
    const accounts = createAccounts("Ann", "Oli");
    const site = await openSite({ host, port, accounts });
    opened.push(site.close);
    const server = await createServer({
      server: site.http,
      store: join(folder, "demo.db"),
      insecure: !isLoopback(host),
      log: serverLog,
    });
    opened.push(server.close);
    for (const { username, password } of accounts) await server.accounts.add(username, password);
    await server.accounts.trust("Ann", "Oli", "Oli", "Ann");

    const urls = addressesOf(host, site.port);
    const peers = [];
    opened.push(async () => cleanup());
    for (const account of accounts) {
      const peer = await startNodePeer(urls[0]!, account, (line) => log(account.username, line));
      opened.push(peer.close);
      peers.push(peer);
    }
    return { urls, firstReplies: Promise.all(peers.map(({ firstReply }) => firstReply)), close };
  }
}
