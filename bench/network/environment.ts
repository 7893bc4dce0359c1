import { type Browser, chromium, type Page } from "playwright";
import { chromiumContext, chromiumLaunch, chromiumPath } from "../../tools/chromium.ts";
import { createLossyNetwork, type LossyNetworkOptions } from "../../tools/lossy-network.ts";
import type { NetworkNamespace } from "../../tools/namespaces.ts";
import { type BenchEnvironment, bundle, createPair } from "../environment.ts";

const isolated = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/** Starts an environment with two browsers that are connected only by a lossy cable. The caller closes it. */
export async function openNetworkEnvironment(cable: LossyNetworkOptions): Promise<BenchEnvironment> {
  const [network, script] = await Promise.all([createLossyNetwork(cable), bundle()]);
  const browsers = await Promise.all(network.ends.map(launchIn));

  return {
    version: browsers[0]!.version(),
    async pair(name) {
      const [caller, callee] = (await Promise.all(browsers.map((browser) => openPage(browser, script)))) as [
        Page,
        Page,
      ];
      await Promise.all([forwardSignals(caller, callee), forwardSignals(callee, caller)]);
      await Promise.all([caller, callee].map((page) => page.goto("http://localhost/?peerjs=")));
      return createPair(name, caller, callee);
    },
    async close() {
      await Promise.all(browsers.map((browser) => browser.close()));
      await network.remove();
    },
  };
}

function launchIn(place: NetworkNamespace): Promise<Browser> {
  const { args, ...launch } = chromiumLaunch();
  // Without loopback, so that only the cable connects the browsers.
  const noLoopback = args.filter((arg) => !arg.includes("loopback"));
  return chromium.launch({ ...launch, args: noLoopback, executablePath: place.script(chromiumPath()!) });
}

async function openPage(browser: Browser, script: string): Promise<Page> {
  const page = await browser.newPage(chromiumContext);
  page.on("pageerror", (error) => console.error(error));
  // There is no web server in the namespace.
  await page.route("**/*", (route) =>
    route.fulfill(
      route.request().url().endsWith("/page.js")
        ? { contentType: "text/javascript", headers: isolated, body: script }
        : { contentType: "text/html", headers: isolated, body: `<script type="module" src="/page.js"></script>` },
    ),
  );
  return page;
}

/**
 * Replaces `BroadcastChannel` in `from` by one that reaches the other browser without the cable, so that signals do not
 * depend on it.
 */
async function forwardSignals(from: Page, to: Page): Promise<void> {
  await from.exposeFunction("sayAfar", (room: string, message: unknown) =>
    to.evaluate(([room, message]) => hearFromAfar(room, message), [room, message] as const).catch(() => {}),
  );
  await from.addInitScript(() => {
    const open = new Set<AfarChannel>();
    class AfarChannel {
      readonly room: string;
      onmessage: ((event: { data: unknown }) => void) | null = null;
      constructor(room: string) {
        this.room = room;
        open.add(this);
      }
      postMessage(message: unknown): void {
        void sayAfar(this.room, message);
      }
      close(): void {
        open.delete(this);
      }
    }
    Object.assign(globalThis, {
      BroadcastChannel: AfarChannel,
      hearFromAfar(room: string, data: unknown) {
        for (const channel of open) if (channel.room === room) channel.onmessage?.({ data });
      },
    });
  });
}

declare global {
  function sayAfar(room: string, message: unknown): Promise<void>;
  function hearFromAfar(room: string, message: unknown): void;
}
