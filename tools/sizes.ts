import ensureBuilt from "./build.ts";
import { sizeOf, type Weight } from "./bundle-size.ts";

function row(name: string, { minified, gzipped }: Weight): void {
  const kilobytes = (bytes: number) => (bytes / 1000).toFixed(1).padStart(10);
  console.log(name.padEnd(28) + kilobytes(minified) + kilobytes(gzipped));
}

ensureBuilt();
console.log(`${"KB".padEnd(28)}  minified   gzipped`);
const { first, later, parts } = await sizeOf(`export { createClient } from "bonevalue"`);
row("createClient", first);
// A part's gzipped size is its share of the whole: parts compress one another.
const share = first.gzipped / first.minified;
for (const [part, minified] of [...parts].sort((a, b) => b[1] - a[1])) {
  row(`  ${part}`, { minified, gzipped: minified * share });
}
row("  diagnose(), when called", later);
// The browser build of simple-peer, because its sources import Node's events.
for (const name of ["peerjs", "simple-peer/simplepeer.min.js"]) {
  row(name, (await sizeOf(`export { default } from "${name}"`)).first);
}
