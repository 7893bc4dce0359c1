import { existsSync } from "node:fs";
import type { Plugin } from "vitest/config";
import { client, moduleFolder, root, server } from "./entries.ts";

/** A plugin that resolves imports of `core/x.ts` to its built file, if there is one. */
export function builtFiles(): Plugin {
  return {
    name: "built-files",
    enforce: "pre",
    async resolveId(id, importer, options) {
      const resolved = await this.resolve(id, importer, { ...options, skipSelf: true });
      if (!resolved?.id.startsWith(root)) return resolved;
      return builtFile(resolved.id.slice(root.length)) ?? resolved;
    },
  };
}

/** The absolute path of the built file that exports what `source`, a path from the repository's root, exports. */
export function builtFile(source: string): string | undefined {
  const { folder } = source.startsWith(server.folder) ? server : client;
  const dist = `${root}${folder}dist/`;
  const path = source.slice(folder.length).replace(/\.tsx?$/, ".js");
  return [dist + path, `${dist}${moduleFolder}/${path}`].find((built) => existsSync(built));
}
