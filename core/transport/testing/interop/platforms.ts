import { RTCPeerConnection as NodeDataChannel } from "node-datachannel/polyfill";
import { RTCPeerConnection as Werift } from "werift";
import { launch } from "../../../../tools/e2e.ts";
import { launchFirefox } from "../../../../tools/firefox.ts";
import { serveSite } from "../../../../tools/static-site.ts";
import { createClient } from "../../../client.ts";
import { BlockedPeerConnection } from "../../relay/testing/fake-relay.ts";
import { webrtc } from "../../webrtc.ts";
import { createInteropPeer, type InteropPeer } from "./peer.ts";

/** A platform on which peers run. */
export interface Platform {
  /** Adds a peer. Without a direct path it needs the relay. */
  add(path?: "direct" | "none"): Promise<InteropPeer>;
  /** Ends the platform with all of its peers. */
  close(): Promise<void>;
}

type Implementation = typeof RTCPeerConnection;

const pageWith = (script: string) => `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script>${script}</script>
<script src="/dist/global.js"></script>
<script>globalThis.interop = (${createInteropPeer})($BV)</script>`;

const pages = {
  direct: pageWith(""),
  none: pageWith(`globalThis.RTCPeerConnection = ${BlockedPeerConnection}`),
};

/** Starts each platform, by its name. */
export const platforms: Readonly<Record<string, () => Promise<Platform>>> = {
  async Chromium() {
    const { open, close } = await launch();
    return {
      async add(path = "direct") {
        const { page } = await open({ html: pages[path] });
        return inPage((expression) => page.evaluate(expression));
      },
      close,
    };
  },
  async Firefox() {
    const [browser, site] = await Promise.all([launchFirefox(), serveSite()]);
    return {
      async add(path = "direct") {
        const page = await browser.newPage();
        await page.goto(site.add(pages[path]));
        return inPage((expression) => page.evaluate(expression));
      },
      async close() {
        await browser.close();
        await site.close();
      },
    };
  },
  "node-datachannel": async () => inNode(NodeDataChannel as unknown as Implementation, { bindAddress: "127.0.0.1" }),
  werift: async () =>
    inNode(Werift as unknown as Implementation, { iceUseIpv6: false, iceAdditionalHostAddresses: ["127.0.0.1"] }),
};

/** The peer of a page, controlled by expressions that `evaluate` runs there. */
function inPage(evaluate: (expression: string) => Promise<unknown>): InteropPeer {
  const verb =
    (name: keyof InteropPeer) =>
    (...args: unknown[]): Promise<any> =>
      evaluate(`interop.${name}(...${JSON.stringify(args)})`);
  return {
    connect: verb("connect"),
    call: verb("call"),
    stream: verb("stream"),
    cancel: verb("cancel"),
    disconnect: verb("disconnect"),
  };
}

/** Peers of this process. `place` keeps them on this machine. */
function inNode(Implementation: Implementation, place: object): Platform {
  const peers: InteropPeer[] = [];
  class RTCPeerConnection extends Implementation {
    constructor(configuration?: RTCConfiguration) {
      super({ ...configuration, ...place });
    }
  }
  return {
    async add(path) {
      const transport = webrtc({ RTCPeerConnection: path === "none" ? BlockedPeerConnection : RTCPeerConnection });
      const peer = createInteropPeer(createClient({ transport }));
      peers.push(peer);
      return peer;
    },
    async close() {
      await Promise.all(peers.map((peer) => peer.disconnect()));
    },
  };
}
