import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository's folder, with a slash at its end. */
export const root: string = fileURLToPath(new URL("..", import.meta.url));

/** A package that this repository publishes. */
export interface Package {
  readonly name: "bonevalue" | "bonevalue-server";
  /** Its folder, from the repository's root; with a slash at its end, unless it is the root. */
  readonly folder: string;
  /** Packages that its build includes, so that users do not install them. */
  readonly bundled: readonly string[];
}

/**
 * The client. msgpackr is bundled because installing it would also install its native addon, and @noble because only a
 * few of its files are used, on few platforms.
 */
export const client: Package = {
  name: "bonevalue",
  folder: "",
  bundled: ["msgpackr", "@noble/ed25519", "@noble/hashes"],
};

/** The discovery server. */
export const server: Package = { name: "bonevalue-server", folder: "reference-server/", bundled: [] };

/** Every package that this repository publishes. */
export const packages: readonly Package[] = [client, server];

/** The folder in dist/, which is not published, of files that re-export a module that was built into another file. */
export const moduleFolder = "modules";

/** A package's package.json. */
export function manifestOf({ folder }: Package): Record<string, any> {
  return JSON.parse(readFileSync(`${root}${folder}package.json`, "utf8"));
}

/** One entry point of a package. */
export interface Entry {
  readonly package: Package;
  /** The key in package.json's `exports`; undefined for the command. */
  readonly subpath: string | undefined;
  /** The source file, from the repository's root. */
  readonly source: string;
  /** The built file, from the package's dist/, without its extension. */
  readonly output: string;
  /** The built declarations, if another entry has the same. */
  readonly types?: string;
  /** Conditions beside `types` and `default`. */
  readonly condition?: string;
  /** The format of a single file that includes every dependency; without it, the entry is built module by module. */
  readonly singleFile?: "iife" | "es";
}

const planned: readonly Entry[] = [
  { package: client, subpath: ".", source: "core/index.ts", output: "core/index" },
  { package: client, subpath: "./react", source: "bindings/react/index.ts", output: "bindings/react/index" },
  { package: client, subpath: "./vue", source: "bindings/vue/index.ts", output: "bindings/vue/index" },
  {
    package: client,
    subpath: "./svelte",
    source: "bindings/svelte/index.ts",
    output: "bindings/svelte/index",
    condition: "svelte",
  },
  { package: client, subpath: "./yjs", source: "bindings/yjs/index.ts", output: "bindings/yjs/index" },
  { package: client, subpath: "./devtools", source: "core/devtools/index.ts", output: "core/devtools/index" },
  { package: client, subpath: "./testing", source: "core/testing/index.ts", output: "core/testing/index" },
  { package: client, subpath: "./internal", source: "core/internal.ts", output: "core/internal" },
  { package: client, subpath: "./node", source: "core/node.ts", output: "core/node" },
  { package: client, subpath: "./global", source: "core/global.ts", output: "global", singleFile: "iife" },
  {
    package: client,
    subpath: "./browser",
    source: "core/index.ts",
    output: "browser",
    types: "core/index",
    singleFile: "es",
  },
  { package: server, subpath: ".", source: "reference-server/server.ts", output: "server" },
  { package: server, subpath: "./vite", source: "reference-server/vite.ts", output: "vite" },
  { package: server, subpath: undefined, source: "reference-server/cli.ts", output: "cli" },
];

/** The one table from which the packages are built, exported and tested. */
export const entries: readonly Entry[] = planned.filter(({ source }) => existsSync(root + source));

/** The entries of one package. */
export function entriesOf({ name }: Package): readonly Entry[] {
  return entries.filter((entry) => entry.package.name === name);
}

/** The name by which an app imports an entry; undefined for the command. */
export function importNameOf({ package: { name }, subpath }: Entry): string | undefined {
  return subpath?.replace(".", name);
}

/** The entries that have pages in the API reference. The single files have the API of the first entry. */
export const documentedEntries: readonly Entry[] = entries.filter(
  ({ subpath, singleFile }) => subpath !== undefined && subpath !== "./internal" && singleFile === undefined,
);

/** Where an entry's declarations are built, from the repository's root. */
export function typesOf({ package: { folder }, output, types = output }: Entry): string {
  return `${folder}dist/${types}.d.ts`;
}

/** The `exports` that package.json must have for these entries of one package. */
export function exportsOf(table: readonly Entry[]): Record<string, unknown> {
  const conditions = ({ output, types = output, condition }: Entry) => ({
    types: `./dist/${types}.d.ts`,
    ...(condition !== undefined && { [condition]: `./dist/${output}.js` }),
    default: `./dist/${output}.js`,
  });
  const paths = table.filter(({ subpath }) => subpath !== undefined);
  return {
    ...Object.fromEntries(paths.map((entry) => [entry.subpath, conditions(entry)])),
    "./package.json": "./package.json",
  };
}
