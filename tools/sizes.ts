import ensureBuilt from "./build.ts";
import { addWeights, links, sizeOf, type Weight } from "./bundle-size.ts";

function row(name: string, { minified, gzipped }: Omit<Weight, "files">): void {
  const kilobytes = (bytes: number) => (bytes / 1000).toFixed(1).padStart(10);
  console.log(name.padEnd(36) + kilobytes(minified) + kilobytes(gzipped));
}

/** Prints what the parts weigh. A part's gzipped size is its share of the whole: parts compress one another. */
function rows(parts: readonly (readonly [string, number])[], { minified, gzipped }: Weight): void {
  for (const [part, bytes] of parts.filter(([, bytes]) => bytes > 0).sort((a, b) => b[1] - a[1])) {
    row(`  ${part}`, { minified: bytes, gzipped: (bytes * gzipped) / minified });
  }
}

ensureBuilt();
console.log(`${"KB".padEnd(36)}  minified   gzipped`);
const { first, later } = await sizeOf(`export { createClient } from "bonevalue"`);
// The parts of the sources, because what is loaded at first is built as one file.
const { parts } = await sizeOf(`export { createClient } from "./core/index.ts"`);
const linked = later.get(links)!;
const partsOf = (index: 0 | 1) => [...parts].map(([part, bytes]) => [part, bytes[index]] as const);
row("createClient, at first", first);
rows(partsOf(0), first);
row("links, loaded while it signs in", linked);
rows(partsOf(1), linked);
row("both", addWeights(first, linked));
for (const [name, weight] of later) if (name !== links) row(`${name}, in special cases`, weight);
// The browser build of simple-peer, because its sources import Node's events.
for (const name of ["peerjs", "simple-peer/simplepeer.min.js"]) {
  row(name, (await sizeOf(`export { default } from "${name}"`)).first);
}
