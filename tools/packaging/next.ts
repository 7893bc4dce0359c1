import type { Trial } from "./trial.ts";

const page = `
"use client";
import { createClient, defineModule } from "bonevalue";
import { BonevalueProvider, useModule, usePeers } from "bonevalue/react";
import { useState } from "react";

const Echo = defineModule("Echo");

function Peers() {
  useModule(Echo, ({ request }) => request);
  return <p>Peers: {usePeers().length}</p>;
}

export default function Page() {
  const [client] = useState(() => createClient());
  return <BonevalueProvider client={client}><Peers /></BonevalueProvider>;
}
`;

const instrumentation = `
export async function register() {
  if (process.env.NEXT_RUNTIME !== "nodejs") return;
  const { createServer } = await import("bonevalue-server");
  const server = await createServer({ port: 0, store: ":memory:", log: { ...console, info() {} } });
  await server.accounts.add("ann", "correct horse");
  console.log("The server has an account: " + server.url.startsWith("ws://127.0.0.1:"));
}
`;

// Starts the built app, reads both pages, and ends it.
const visit = `
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";

const probe = createServer().listen(0, "127.0.0.1");
await once(probe, "listening");
const { port } = probe.address();
probe.close();
const next = spawn(process.execPath, ["node_modules/next/dist/bin/next", "start", "-H", "127.0.0.1", "-p", String(port)]);
let output = "";
for (const stream of [next.stdout, next.stderr]) stream.on("data", (chunk) => { output += chunk; });
const deadline = Date.now() + 60_000;
while (!output.includes("Ready in") && next.exitCode === null && Date.now() < deadline) await Promise.race([once(next.stdout, "data"), once(next, "exit")]);
const texts = [];
for (const path of ["", "old"]) texts.push(await (await fetch("http://127.0.0.1:" + port + "/" + path)).text());
const shown = texts.every((text) => text.replaceAll("<!-- -->", "").includes("Peers: 0"));
console.log("Both pages show the peers: " + shown + "; " + (/The server has an account: \\w+/.exec(output)?.[0] ?? output));
next.kill();
`;

/** Next builds and starts an app: the client in both kinds of pages, the server in `instrumentation`. */
export const nextTrials: readonly Trial[] = ["turbopack", "webpack"].map((bundler) => ({
  name: `Next 16, ${bundler}`,
  packages: { next: "16", react: "19", "react-dom": "19" },
  files: {
    "package.json": "{}",
    "app/layout.jsx": "export default function Layout({ children }) { return <html><body>{children}</body></html>; }",
    "app/page.jsx": page,
    "pages/old.jsx": page,
    "instrumentation.js": instrumentation,
    "visit.mjs": visit,
  },
  commands: [
    ["next", "build", `--${bundler}`],
    ["node", "visit.mjs"],
  ],
  prints: "Both pages show the peers: true; The server has an account: true",
}));
