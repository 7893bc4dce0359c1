import { type Browser, chromium } from "playwright";
import { createCaller, forkIn } from "../../../../tools/child-methods.ts";
import { chromiumContext, headlessShellPath, shellLaunch } from "../../../../tools/chromium.ts";
import type { NetworkNamespace } from "../../../../tools/namespaces.ts";
import { createRemotePeer, type RemotePeer } from "./peer.ts";

/** A peer, and the end of what it runs on. */
export interface RunningPeer extends RemotePeer {
  close(): Promise<void>;
}

/** One whose discovery is overheard. */
export interface RunningPage extends RunningPeer {
  /** What its discovery server has said so far. */
  readonly received: readonly { readonly type: string; readonly data: any }[];
}

type Verb = (...args: readonly unknown[]) => Promise<any>;

/** A peer of node-datachannel's in a process of its own. */
export async function nodePeer({ enter }: NetworkNamespace): Promise<RunningPeer> {
  const child = forkIn(enter, new URL("child.ts", import.meta.url));
  const order = createCaller(child);
  return peerOf(
    (name) =>
      (...args) =>
        order(name, ...args),
    async () => void child.kill(),
  );
}

/** A Chromium, and its pages. */
export interface RunningBrowser {
  /** Opens a page with a profile of its own. */
  open(): Promise<RunningPage>;
  close(): Promise<void>;
}

/** A peer in a Chromium of its own. `library` is the script of the page. */
export async function chromiumPeer(place: NetworkNamespace, library: string): Promise<RunningPage> {
  const { open, close } = await startChromium(place, library);
  return { ...(await open()), close };
}

/** Starts a Chromium whose pages are peers. `library` is the script of the pages. */
export async function startChromium(place: NetworkNamespace, library: string): Promise<RunningBrowser> {
  const { args, ...launch } = shellLaunch();
  const browser = await chromium.launch({
    ...launch,
    // There are other addresses over there, and no page in the field has these.
    args: args.filter((arg) => !arg.includes("loopback")),
    executablePath: place.script(headlessShellPath()!),
  });
  return { open: () => openPeer(browser, library), close: () => browser.close() };
}

async function openPeer(browser: Browser, library: string): Promise<RunningPage> {
  const page = await browser.newPage(chromiumContext);
  const received: RunningPage["received"][0][] = [];
  page.on("websocket", (socket) => {
    // The messages of relay sockets are bytes.
    socket.on("framereceived", ({ payload }) => typeof payload === "string" && received.push(JSON.parse(payload)));
  });
  // Nobody serves pages over there.
  const html = `<!doctype html><meta charset="utf-8"><script src="/library.js"></script>
    <script>globalThis.peer = (${createRemotePeer})($BV)</script>`;
  await page.route("**/*", (route) =>
    route.request().url().endsWith("/library.js")
      ? route.fulfill({ contentType: "text/javascript", path: library })
      : route.fulfill({ contentType: "text/html", body: html }),
  );
  await page.goto("http://localhost/");
  const peer = peerOf(
    (name) =>
      (...args) =>
        page.evaluate(`peer.${name}(...${JSON.stringify(args)})`),
    () => page.close(),
  );
  return { ...peer, received };
}

function peerOf(verb: (name: keyof RemotePeer) => Verb, close: () => Promise<void>): RunningPeer {
  return {
    connect: verb("connect"),
    call: verb("call"),
    requestToken: verb("requestToken"),
    claimToken: verb("claimToken"),
    verified: verb("verified"),
    diagnose: verb("diagnose"),
    flow: verb("flow"),
    flown: verb("flown"),
    relay: verb("relay"),
    disconnect: verb("disconnect"),
    close,
  };
}
