import type { BrowserCommand } from "vitest/node";
import { type ServerProcess, type ServerSetup, startServer, type Trust } from "./server-process.ts";

const running = new Map<string, ServerProcess>();

function at(url: string): ServerProcess {
  const server = running.get(url);
  if (server === undefined) throw new Error(`No test server runs at ${url}. Start one with commands.startServer().`);
  return server;
}

/**
 * Commands that a browser test runs in Node: `import { commands } from "vitest/browser"`. The URL that `startServer` returns
 * identifies a server.
 */
export const browserCommands: {
  startServer: BrowserCommand<[setup?: ServerSetup]>;
  stopServer: BrowserCommand<[url: string]>;
  killServer: BrowserCommand<[url: string]>;
  addAccount: BrowserCommand<[url: string, username: string, password: string]>;
  addTrust: BrowserCommand<[url: string, ...trust: Trust]>;
  addInvitation: BrowserCommand<[url: string, email: string]>;
} = {
  async startServer(_, setup) {
    const server = await startServer(setup);
    running.set(server.url, server);
    return server.url;
  },
  async stopServer(_, url) {
    await at(url).stop();
    running.delete(url);
  },
  async killServer(_, url) {
    await at(url).kill();
    running.delete(url);
  },
  addAccount: (_, url, username, password) => at(url).addAccount(username, password),
  addTrust: (_, url, ...trust) => at(url).trust(...trust),
  addInvitation: (_, url, email) => at(url).invite(email),
};

declare module "vitest/browser" {
  interface BrowserCommands {
    /** Starts a reference server in its own process. Resolves to its URL. */
    startServer(setup?: ServerSetup): Promise<string>;
    stopServer(url: string): Promise<void>;
    /** `kill -9`. */
    killServer(url: string): Promise<void>;
    addAccount(url: string, username: string, password: string): Promise<void>;
    addTrust(url: string, ...trust: Trust): Promise<void>;
    addInvitation(url: string, email: string): Promise<{ link: string; expires: string }>;
  }
}
