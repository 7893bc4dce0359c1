import { sizeOf } from "../../tools/bundle-size.ts";
import type { Observation, Scenario } from "./scenario.ts";

const imports: Readonly<Record<string, string>> = {
  bonevalue: `export { createClient } from "./core/index.ts"`,
  PeerJS: `export { default } from "peerjs"`,
  // The browser build of simple-peer, because its sources import Node's streams.
  "simple-peer": `export { default } from "simple-peer/simplepeer.min.js"`,
  "Trystero, without a strategy": `export { createTopicStrategy } from "@trystero-p2p/core"`,
  birpc: `export { createBirpc } from "birpc"`,
  capnweb: `export { RpcSession } from "capnweb"`,
};

/** What a page pays for each library; what is loaded later, when it is asked for, is not counted. */
export const sizes: Scenario = {
  name: "sizes",
  title: "Bundled for browsers, minified and gzipped",
  run: () => Promise.all(Object.entries(imports).map(weigh)),
};

async function weigh([what, code]: readonly [string, string]): Promise<Observation> {
  const { first } = await sizeOf(code);
  return { what, value: first.gzipped / 1_000, unit: "KB" };
}
