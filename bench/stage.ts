import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { PeerServer } from "peer";
import { chromium, type Page } from "playwright";
import { chromiumContext, chromiumLaunch } from "../tools/chromium.ts";
import type { Name } from "./contestants/all.ts";
import type { Settings } from "./contestants/contestant.ts";

/** Where contestants are measured. */
export interface Stage {
  /** The browser's. */
  readonly version: string;
  pair(name: Name): Promise<Pair>;
  close(): Promise<void>;
}

/** A real Chromium, and a server on loopback for its pages. */
export interface LoopbackStage extends Stage {
  page(): Promise<Page>;
}

/** Two pages of one contestant. */
export interface Pair {
  readonly name: Name;
  readonly caller: Page;
  readonly callee: Page;
  /** Makes a link and one call; resolves with the ms that both took. Hang up before the next. */
  dial(settings: Settings): Promise<number>;
  hangUp(): Promise<void>;
  close(): Promise<void>;
}

const loopback = "127.0.0.1";
// Otherwise the clock of a page goes in steps of 0.1 ms.
const isolated = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/** Opens the stage. The caller closes it. */
export async function openStage(): Promise<LoopbackStage> {
  const [browser, site, peers] = await Promise.all([
    chromium.launch(chromiumLaunch()),
    bundle().then(servePage),
    servePeerJs(),
  ]);
  const url = `http://${loopback}:${portOf(site)}/?peerjs=${portOf(peers)}`;
  const context = await browser.newContext(chromiumContext);

  async function page(): Promise<Page> {
    const opened = await context.newPage();
    opened.on("pageerror", (error) => console.error(error));
    opened.on("console", (message) => message.type() === "error" && console.error(message.text()));
    await opened.goto(url);
    return opened;
  }

  async function pair(name: Name): Promise<Pair> {
    const [caller, callee] = await Promise.all([page(), page()]);
    return createPair(name, caller, callee);
  }

  return {
    version: browser.version(),
    page,
    pair,
    async close() {
      await browser.close();
      for (const server of [site, peers]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

let rooms = 0;

/** The two pages as a pair, which closes them. */
export function createPair(name: Name, caller: Page, callee: Page): Pair {
  return {
    name,
    caller,
    callee,
    async dial(settings) {
      const room = `${name} ${++rooms}`;
      await callee.evaluate(([name, room]) => bench.answer(name, room), [name, room] as const);
      return caller.evaluate(([name, room, settings]) => bench.dial(name, room, settings), [
        name,
        room,
        settings,
      ] as const);
    },
    async hangUp() {
      await caller.evaluate(() => bench.hangUp());
      await callee.evaluate(() => bench.hangUp());
    },
    async close() {
      await Promise.all([caller.close(), callee.close()]);
    },
  };
}

/** The script of the page. */
export async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("page/page.ts", import.meta.url))],
    bundle: true,
    format: "esm",
    target: "es2022",
    define: { global: "globalThis" },
    // Its sources want Node's streams: this is the file that it publishes for pages.
    alias: { "simple-peer": "simple-peer/simplepeer.min.js" },
    write: false,
  });
  return outputFiles[0]!.text;
}

/** Serves the page and its script. */
async function servePage(script: string): Promise<Server> {
  const server = createServer((request, response) => {
    const [type, body] =
      request.url === "/page.js"
        ? ["text/javascript", script]
        : ["text/html", `<!doctype html><title>bench</title><script type="module" src="/page.js"></script>`];
    response.writeHead(200, { "content-type": type, ...isolated }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, loopback, resolve));
  return server;
}

/** PeerJS's own server, which its pages sign in to. */
function servePeerJs(): Promise<Server> {
  return new Promise((resolve) => void PeerServer({ host: loopback, port: 0 }, (server) => resolve(server as Server)));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
