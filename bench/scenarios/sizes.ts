import ensureBuilt from "../../tools/build.ts";
import { addWeights, links, sizeOf } from "../../tools/bundle-size.ts";
import type { Observation, Scenario } from "./scenario.ts";

const imports: Readonly<Record<string, string>> = {
  bonevalue: `export { createClient } from "bonevalue"`,
  PeerJS: `export { default } from "peerjs"`,
  // The browser build of simple-peer, because its sources import Node's streams.
  "simple-peer": `export { default } from "simple-peer/simplepeer.min.js"`,
  "Trystero, without a strategy": `export { createTopicStrategy } from "@trystero-p2p/core"`,
  birpc: `export { createBirpc } from "birpc"`,
  capnweb: `export { RpcSession } from "capnweb"`,
};

/** What a page pays for each library once it has a link. What is loaded later only in special cases is not counted. */
export const sizes: Scenario = {
  name: "sizes",
  title: "Bundled for browsers, minified and gzipped",
  run() {
    ensureBuilt();
    return Promise.all(Object.entries(imports).map(weigh));
  },
};

async function weigh([what, code]: readonly [string, string]): Promise<Observation> {
  const { first, later } = await sizeOf(code);
  const linked = later.get(links);
  return { what, value: (linked ? addWeights(first, linked) : first).gzipped / 1_000, unit: "KB" };
}
