import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "../../tools/entries.ts";
import type { Scenario } from "./scenario.ts";

const imports: Readonly<Record<string, string>> = {
  bonevalue: `export { createClient } from "./core/index.ts"`,
  PeerJS: `export { default } from "peerjs"`,
  // Its sources want Node's streams: this is the file that it publishes for pages.
  "simple-peer": `export { default } from "simple-peer/simplepeer.min.js"`,
  "Trystero, without a strategy": `export { createTopicStrategy } from "@trystero-p2p/core"`,
  birpc: `export { createBirpc } from "birpc"`,
  capnweb: `export { RpcSession } from "capnweb"`,
};

/** What a page pays for each contestant. */
export const sizes: Scenario = {
  name: "sizes",
  title: "Bundled for browsers, minified and gzipped",
  run: () =>
    Promise.all(Object.entries(imports).map(async ([what, code]) => ({ what, value: await sizeOf(code), unit: "KB" }))),
};

async function sizeOf(code: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: root },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    define: { global: "globalThis" },
    write: false,
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length / 1_000;
}
