import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { PeerServer } from "peer";
import { chromium, type Page } from "playwright";
import { build as buildPages, type Rolldown } from "vite";
import { type BonevalueServer, createServer as createDiscoveryServer } from "../reference-server/server.ts";
import ensureBuilt from "../tools/build.ts";
import { chromiumContext, chromiumLaunch } from "../tools/chromium.ts";
import type { LibraryName } from "./libraries/all.ts";
import type { DialSettings } from "./libraries/library.ts";

/** The environment of a benchmark: a browser and its pages. */
export interface BenchEnvironment {
  /** The browser's version. */
  readonly version: string;
  pair(name: LibraryName): Promise<Pair>;
  close(): Promise<void>;
}

/** A Chromium, and a web server on loopback for its pages. */
export interface LoopbackEnvironment extends BenchEnvironment {
  page(): Promise<Page>;
}

/** Two pages of one library. */
export interface Pair {
  readonly name: LibraryName;
  readonly caller: Page;
  readonly callee: Page;
  /** Opens a link and makes one call. Resolves to the time in ms. Call `hangUp` before the next dial. */
  dial(settings: DialSettings): Promise<number>;
  hangUp(): Promise<void>;
  close(): Promise<void>;
}

const loopback = "127.0.0.1";
// Otherwise page clocks have a resolution of 0.1 ms.
const isolated = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/** Starts the environment. The caller closes it. */
export async function openEnvironment(): Promise<LoopbackEnvironment> {
  const [browser, site, peers, discovery] = await Promise.all([
    chromium.launch(chromiumLaunch()),
    Promise.all([bundle(), bundleApps()]).then(([script, apps]) => serveSite(script, apps)),
    servePeerJs(),
    serveDiscovery(),
  ]);
  const servers = new URLSearchParams({ peerjs: String(portOf(peers)), server: discovery.url });
  const url = `${urlOf(site)}?${servers}`;
  const context = await browser.newContext(chromiumContext);

  async function page(): Promise<Page> {
    const opened = await context.newPage();
    opened.on("pageerror", (error) => console.error(error));
    opened.on("console", (message) => message.type() === "error" && console.error(message.text()));
    await opened.goto(url);
    return opened;
  }

  async function pair(name: LibraryName): Promise<Pair> {
    const [caller, callee] = await Promise.all([page(), page()]);
    return createPair(name, caller, callee);
  }

  return {
    version: browser.version(),
    page,
    pair,
    async close() {
      await browser.close();
      await discovery.close();
      for (const server of [site, peers]) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

let rooms = 0;

/** Makes a pair of two pages. Its `close` closes them. */
export function createPair(name: LibraryName, caller: Page, callee: Page): Pair {
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
    entryPoints: [fileURLToPath(new URL("page/bench-page.ts", import.meta.url))],
    bundle: true,
    format: "esm",
    target: "es2022",
    define: { global: "globalThis" },
    // The browser build of simple-peer, because its sources import Node's streams.
    alias: { "simple-peer": "simple-peer/simplepeer.min.js" },
    write: false,
  });
  return outputFiles[0]!.text;
}

/** The files of pages that load only one library, by name, as Vite builds an app. */
async function bundleApps(): Promise<ReadonlyMap<string, string>> {
  ensureBuilt();
  const apps = await Promise.all(["bonevalue", "peerjs"].map(bundleApp));
  return new Map(apps.flat());
}

/** One by one: code that two apps have in common is in the script of each. */
async function bundleApp(name: string): Promise<[file: string, text: string][]> {
  const root = fileURLToPath(new URL("page/apps/", import.meta.url));
  const { output } = (await buildPages({
    root,
    configFile: false,
    logLevel: "error",
    base: "/apps/",
    build: { write: false, rolldownOptions: { input: `${root}${name}.html` } },
  })) as Rolldown.RolldownOutput;
  return output.map((file) => [file.fileName, file.type === "chunk" ? file.code : String(file.source)]);
}

/** Serves the page with all libraries at `/`, the page of each app at `/apps/NAME`, and their scripts. */
export async function serveSite(script: string, apps: ReadonlyMap<string, string> = new Map()): Promise<Server> {
  const page = `<!doctype html><title>bench</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>`;

  function fileAt(path: string): readonly [type: string, body: string] {
    const name = path.slice("/apps/".length);
    const code = path === "/page.js" ? script : apps.get(name);
    if (code !== undefined) return ["text/javascript", code];
    return ["text/html", apps.get(`${name}.html`) ?? page];
  }

  const server = createServer((request, response) => {
    const [type, body] = fileAt(new URL(request.url ?? "/", "http://host").pathname);
    response.writeHead(200, { "content-type": type, ...isolated }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, loopback, resolve));
  return server;
}

/** Starts this library's discovery server, with rooms. All pages have one address. */
function serveDiscovery(): Promise<BonevalueServer> {
  const log = { debug() {}, info() {}, warn: console.error, error: console.error };
  return createDiscoveryServer({ port: 0, store: ":memory:", rooms: true, log, limits: { roomJoins: 10_000 } });
}

/** Starts PeerJS's server. */
function servePeerJs(): Promise<Server> {
  return new Promise((resolve) => void PeerServer({ host: loopback, port: 0 }, (server) => resolve(server as Server)));
}

/** The URL of the page with all libraries. */
export function urlOf(site: Server): string {
  return `http://${loopback}:${portOf(site)}/`;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
