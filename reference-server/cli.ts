#!/usr/bin/env node
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < 22 || (major === 22 && minor < 13)) {
  console.error(`bonevalue needs Node 22.13 or newer; this is ${process.version}.`);
  process.exit(1);
}

// Only now: what these files import does not load on an older Node.
const { run } = await import("./command/run.ts");
process.exitCode = await run(process.argv.slice(2));
