import { existsSync } from "node:fs";
import type { Plugin } from "vitest/config";
import { root } from "./entries.ts";

/** Lets specs that import `core/x.ts` run on `dist/core/x.js`, wherever the build has made one. */
export function builtFiles(): Plugin {
  return {
    name: "built-files",
    enforce: "pre",
    async resolveId(id, importer, options) {
      const resolved = await this.resolve(id, importer, { ...options, skipSelf: true });
      if (!resolved?.id.startsWith(root)) return resolved;
      const built = `${root}dist/${resolved.id.slice(root.length).replace(/\.tsx?$/, ".js")}`;
      return existsSync(built) ? built : resolved;
    },
  };
}
