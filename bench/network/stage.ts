import { type Browser, chromium, type Page } from "playwright";
import { chromiumContext, chromiumLaunch, chromiumPath } from "../../tools/chromium.ts";
import { createLossyNetwork, type LossyNetworkOptions } from "../../tools/lossy-network.ts";
import type { NetworkNamespace } from "../../tools/namespaces.ts";
import { bundle, createPair, type Stage } from "../stage.ts";

const isolated = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/** Opens a stage whose pairs are pages of two browsers that have nothing but a bad cable between them. The caller closes it. */
export async function openNetworkStage(cable: LossyNetworkOptions): Promise<Stage> {
  const [network, script] = await Promise.all([createLossyNetwork(cable), bundle()]);
  const browsers = await Promise.all(network.ends.map(launchIn));

  return {
    version: browsers[0]!.version(),
    async pair(name) {
      const [caller, callee] = (await Promise.all(browsers.map((browser) => openPage(browser, script)))) as [
        Page,
        Page,
      ];
      await Promise.all([passOn(caller, callee), passOn(callee, caller)]);
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
  // The cable is all there is.
  const noLoopback = args.filter((arg) => !arg.includes("loopback"));
  return chromium.launch({ ...launch, args: noLoopback, executablePath: place.script(chromiumPath()!) });
}

async function openPage(browser: Browser, script: string): Promise<Page> {
  const page = await browser.newPage(chromiumContext);
  page.on("pageerror", (error) => console.error(error));
  // Nobody serves pages over there.
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
 * Gives `from` a BroadcastChannel that reaches the other browser: signals do not go over the cable, and take no time
 * that depends on it.
 */
async function passOn(from: Page, to: Page): Promise<void> {
  await from.exposeFunction("sayAfar", (room: string, message: unknown) =>
    to.evaluate(([room, message]) => hearFromAfar(room, message), [room, message] as const).catch(() => {}),
  );
  await from.addInitScript(() => {
    const open = new Map<string, AfarChannel>();
    class AfarChannel {
      readonly room: string;
      onmessage: ((event: { data: unknown }) => void) | null = null;
      constructor(room: string) {
        this.room = room;
        open.set(room, this);
      }
      postMessage(message: unknown): void {
        void sayAfar(this.room, message);
      }
      close(): void {
        open.delete(this.room);
      }
    }
    Object.assign(globalThis, {
      BroadcastChannel: AfarChannel,
      hearFromAfar: (room: string, data: unknown) => open.get(room)?.onmessage?.({ data }),
    });
  });
}

declare global {
  function sayAfar(room: string, message: unknown): Promise<void>;
  function hearFromAfar(room: string, message: unknown): void;
}
