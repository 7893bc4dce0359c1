import { parseArgs } from "node:util";
import ensureBuilt from "../../tools/build.ts";
import { isLoopback } from "./addresses.ts";
import type { Demo } from "./demo.ts";

const usage = `npm run demo [-- OPTIONS]

Starts a discovery server with two accounts, Ann and Oli, a Node peer for each, and a page.

  --once         exit after the Node peers have called each other
  --host HOST    listen address; 0.0.0.0 lets other machines open the page (default 127.0.0.1)
  --port PORT    default: the first free port from 8000
  --help         print this text`;

const firstRepliesTimeoutMs = 30_000;

interface Options {
  readonly once: boolean;
  readonly host: string;
  readonly port: number | undefined;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      once: { type: "boolean", default: false },
      host: { type: "string", default: "127.0.0.1" },
      port: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit();
  }
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port < 65_536))
    throw new Error(`--port ${values.port} is not a port. Pass a number from 0 to 65535.`);
  return { once: values.once, host: values.host, port };
}

async function start({ host, port }: Options): Promise<Demo> {
  console.log("A discovery server, two accounts that trust each other, and a Node peer for each:\n");
  ensureBuilt();
  // Imported here, because its imports need the build.
  const { startDemo } = await import("./demo.ts").catch((cause: unknown) => {
    throw new Error("A dependency is missing. Run `npm ci`, then `npm run demo` again.", { cause });
  });
  return startDemo({ host, port, log: (who, line) => console.log(`  ${who}  ${line}`) });
}

async function waitForReplies(demo: Demo): Promise<void> {
  const timeout = AbortSignal.timeout(firstRepliesTimeoutMs);
  const timedOut = new Promise((_, reject) => {
    timeout.onabort = () =>
      reject(new Error(`The Node peers did not answer each other within ${firstRepliesTimeoutMs / 1_000} s.`));
  });
  await Promise.race([demo.firstReplies, timedOut]);
}

function printUrls({ urls }: Demo, { host }: Options): void {
  console.log(`\nOpen ${urls.join(" or ")} in a browser, and again in a second tab. Ctrl-C ends the demo.`);
  if (!isLoopback(host)) console.log("Every machine on this network can open it, and sign in as Ann or Oli.");
}

async function interruption(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => resolve());
  });
  console.log("\nClosing …");
}

async function run(): Promise<void> {
  const options = readOptions();
  const interrupted = interruption();
  const demo = await start(options);
  try {
    await Promise.race([waitForReplies(demo), interrupted]);
    if (options.once) return;
    printUrls(demo, options);
    await interrupted;
  } finally {
    await demo.close();
  }
}

await run().catch((error: unknown) => {
  console.error(error instanceof Error ? `${error.message}${causeOf(error)}` : error);
  process.exitCode = 1;
});

function causeOf({ cause }: Error): string {
  return cause instanceof Error ? `\n  because: ${cause.message}` : "";
}
