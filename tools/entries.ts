import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's folder, with a slash at its end. */
export const root: string = fileURLToPath(new URL("..", import.meta.url));

/** One way into the package. */
export interface Entry {
  /** As package.json's `exports` spells it; undefined for the command. */
  readonly subpath: string | undefined;
  /** Where it is written, from the repository's root. */
  readonly source: string;
  /** What is built from it, under dist/, without its ending. */
  readonly output: string;
  /** Conditions beside `types` and `default`. */
  readonly condition?: string;
  /** A script for a `<script>` tag, with everything in it, instead of modules. */
  readonly script?: true;
}

const planned: readonly Entry[] = [
  { subpath: ".", source: "core/index.ts", output: "core/index" },
  { subpath: "./react", source: "bindings/react/index.ts", output: "bindings/react/index" },
  { subpath: "./vue", source: "bindings/vue/index.ts", output: "bindings/vue/index" },
  { subpath: "./svelte", source: "bindings/svelte/index.ts", output: "bindings/svelte/index", condition: "svelte" },
  { subpath: "./testing", source: "core/testing/index.ts", output: "core/testing/index" },
  { subpath: "./server", source: "reference-server/server.ts", output: "reference-server/server" },
  { subpath: undefined, source: "reference-server/cli.ts", output: "reference-server/cli" },
  { subpath: "./global", source: "core/global.ts", output: "global", script: true },
];

/** The one table from which the package is built, exported and tested. A room comes into it with its entry file. */
export const entries: readonly Entry[] = planned.filter(({ source }) => existsSync(root + source));

/** What package.json's `exports` must say. */
export function exportsOf(table: readonly Entry[]): Record<string, unknown> {
  const conditions = ({ output, condition }: Entry) => ({
    types: `./dist/${output}.d.ts`,
    ...(condition !== undefined && { [condition]: `./dist/${output}.js` }),
    default: `./dist/${output}.js`,
  });
  const paths = table.filter(({ subpath }) => subpath !== undefined);
  return {
    ...Object.fromEntries(paths.map((entry) => [entry.subpath, conditions(entry)])),
    "./package.json": "./package.json",
  };
}
