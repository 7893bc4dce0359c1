import { expect, test, vi } from "vitest";
import type { Flag } from "../reference-server/command/flags.ts";
import { run } from "../reference-server/command/run.ts";
import { serveFlags } from "../reference-server/command/serve.ts";

test("the page of the command line shows the help and all flags of the server", async () => {
  await expect(await renderPage()).toMatchFileSnapshot("reference/command-line.md");
});

/** The page, from what `--help` prints and from the descriptions of the flags. */
async function renderPage(): Promise<string> {
  const log = vi.spyOn(console, "log").mockReturnValue();
  await run(["--help"]);
  const help = String(log.mock.lastCall);
  log.mockRestore();
  const commands = help.slice(help.indexOf("  bonevalue-server serve"), help.indexOf("\n\nChanges take effect"));
  return `<!-- Written by docs/command-line.test.ts: run \`npx vitest run --project unit docs/command-line -u\`, do not edit. -->

# Command line

\`npx bonevalue-server\` runs and administers a [discovery server](../deploy/server.md).

## Commands

\`\`\`text
${commands.replaceAll(/^ {2}/gm, "")}
\`\`\`

Changes take effect in running servers within a second. All commands except \`dev\` accept \`--store\` and \`--url\`. The other flags are for
\`serve\`; \`--port\` is also for \`dev\`. Each flag can be set by its environment variable. Use these for secrets, because other users of the
machine can see command lines.

## Flags

${Object.entries<Flag>(serveFlags).map(sectionOf).join("\n\n")}
`;
}

function sectionOf([name, { value, multiple, help }]: [string, Flag]): string {
  const variable = `BONEVALUE_${name.toUpperCase().replaceAll("-", "_")}`;
  const note = multiple ? ", with spaces between several values" : "";
  return `### --${name}\n\n\`--${name}${value ? ` ${value}` : ""}\`, or \`${variable}\`${note}\n\n${help}`;
}
