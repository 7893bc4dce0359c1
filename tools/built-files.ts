import { existsSync } from "node:fs";
import type { Plugin } from "vitest/config";
import { root, server } from "./entries.ts";

/** A plugin that resolves imports of `core/x.ts` to `dist/core/x.js`, if that exists. */
export function builtFiles(): Plugin {
  return {
    name: "built-files",
    enforce: "pre",
    async resolveId(id, importer, options) {
      const resolved = await this.resolve(id, importer, { ...options, skipSelf: true });
      if (!resolved?.id.startsWith(root)) return resolved;
      const built = builtFor(resolved.id.slice(root.length).replace(/\.tsx?$/, ".js"));
      return existsSync(built) ? built : resolved;
    },
  };
}

function builtFor(path: string): string {
  const { folder } = server;
  return path.startsWith(folder) ? `${root}${folder}dist/${path.slice(folder.length)}` : `${root}dist/${path}`;
}
