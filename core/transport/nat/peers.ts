import { chromium } from "playwright";
import { chromiumLaunch, chromiumPath } from "../../../tools/chromium.ts";
import type { Place } from "../../../tools/nat.ts";
import { forkIn, ordersTo } from "../../../tools/orders.ts";
import { createNatPeer, type NatPeer } from "./peer.ts";

/** A peer, and the end of what it runs on. */
export interface RunningPeer extends NatPeer {
  close(): Promise<void>;
}

type Verb = (...args: readonly unknown[]) => Promise<any>;

/** A peer of node-datachannel's in a process of its own. */
export async function nodePeer({ enter }: Place): Promise<RunningPeer> {
  const child = forkIn(enter, new URL("child.ts", import.meta.url));
  const order = ordersTo(child);
  return peerOf(
    (name) =>
      (...args) =>
        order(name, ...args),
    async () => void child.kill(),
  );
}

/** A peer in a Chromium of its own. `library` is the script of the page. */
export async function chromiumPeer(place: Place, library: string): Promise<RunningPeer> {
  const browser = await chromium.launch({ ...chromiumLaunch(), executablePath: place.script(chromiumPath()!) });
  const page = await browser.newPage();
  // Nobody serves pages over there.
  const html = `<!doctype html><meta charset="utf-8"><script src="/library.js"></script>
    <script>globalThis.peer = (${createNatPeer})($BV)</script>`;
  await page.route("**/*", (route) =>
    route.request().url().endsWith("/library.js")
      ? route.fulfill({ contentType: "text/javascript", path: library })
      : route.fulfill({ contentType: "text/html", body: html }),
  );
  await page.goto("http://localhost/");
  return peerOf(
    (name) =>
      (...args) =>
        page.evaluate(`peer.${name}(...${JSON.stringify(args)})`),
    () => browser.close(),
  );
}

function peerOf(verb: (name: keyof NatPeer) => Verb, close: () => Promise<void>): RunningPeer {
  return {
    connect: verb("connect"),
    call: verb("call"),
    relay: verb("relay"),
    disconnect: verb("disconnect"),
    close,
  };
}
