import { once } from "node:events";
import { parseArgs } from "node:util";
import ensureBuilt from "../tools/build.ts";

const usage = `npm run examples [-- OPTIONS [EXAMPLE…]]

Builds the examples and serves them with a discovery server. Without names it serves all examples.

  --port PORT    default: the first free port from 8000
  --help         print this text`;

const { values, positionals } = parseArgs({
  options: { port: { type: "string" }, help: { type: "boolean", default: false } },
  allowPositionals: true,
});

async function serve(): Promise<void> {
  ensureBuilt();
  // Only now: what it imports may not have been built before.
  const { openExamples } = await import("./site/site.ts");
  const examples = await openExamples({
    port: values.port === undefined ? undefined : Number(values.port),
    only: positionals,
  });
  console.log(`Open ${examples.url} in a browser. Press Ctrl-C to stop.`);
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  await examples.close();
}

if (values.help) console.log(usage);
else {
  await serve().catch(({ message }: Error) => {
    console.error(message);
    process.exitCode = 1;
  });
}
