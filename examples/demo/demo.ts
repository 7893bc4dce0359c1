import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "bonevalue-server";
import { cleanup } from "node-datachannel";
import { inventAccounts } from "./accounts.ts";
import { addressesOf, isLoopback } from "./addresses.ts";
import { startNodePeer } from "./node-peer.ts";
import { openSite } from "./site.ts";

/** A running demo: a discovery server, two accounts that trust each other, a Node peer for each, and a page. */
export interface Demo {
  /** Where the page can be opened. */
  readonly urls: readonly string[];
  /** Resolves when both Node peers have had a reply, rejects when a call of theirs fails. */
  readonly conversation: Promise<unknown>;
  /** Ends everything, and forgets the accounts. */
  close(): Promise<void>;
}

/** How to start it. */
export interface DemoOptions {
  readonly host: string;
  /** Undefined: 8000, or any other when that is taken. */
  readonly port: number | undefined;
  /** Told each line of what the Node peers say. */
  say(who: string, line: string): void;
}

// What goes wrong is worth a line; every sign-in is not.
const log = { ...console, debug() {}, info() {} };

/** Resolves once both Node peers are online. The caller closes it. */
export async function startDemo({ host, port, say }: DemoOptions): Promise<Demo> {
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
    const accounts = inventAccounts("Ann", "Oli");
    const site = await openSite({ host, port, accounts });
    opened.push(site.close);
    const server = await createServer({
      server: site.http,
      store: join(folder, "demo.db"),
      insecure: !isLoopback(host),
      log,
    });
    opened.push(server.close);
    for (const { username, password } of accounts) await server.accounts.add(username, password);
    await server.accounts.trust("Ann", "Oli", "Oli", "Ann");

    const urls = addressesOf(host, site.port);
    const peers = [];
    opened.push(async () => cleanup());
    for (const account of accounts) {
      const peer = await startNodePeer(urls[0]!, account, (line) => say(account.username, line));
      opened.push(peer.close);
      peers.push(peer);
    }
    return { urls, conversation: Promise.all(peers.map(({ heard }) => heard)), close };
  }
}
