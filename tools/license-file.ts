import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Plugin } from "rollup";

/** The file that holds the licenses of the packages that a build includes. */
export const licenseFileName = "THIRD-PARTY-LICENSES.txt";

/**
 * A Rollup plugin that writes the license texts of bundled packages beside the built files. Builds that share the plugin
 * share the file.
 */
export function licenseFile(): Plugin {
  const folders = new Set<string>();
  return {
    name: "license-file",
    generateBundle({ dir, file }) {
      const [before, modules] = [folders.size, [...this.getModuleIds()]];
      for (const id of modules) {
        const folder = id.match(/^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0];
        if (folder !== undefined && this.getModuleInfo(id)?.code !== null) folders.add(folder);
      }
      if (folders.size === before) return;
      const dist = dir ?? dirname(file!);
      mkdirSync(dist, { recursive: true });
      writeFileSync(`${dist}/${licenseFileName}`, [...folders].sort().map(licenseIn).join("\n"));
    },
  };
}

function licenseIn(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
  const [file] = globSync("LICEN[CS]E*", { cwd: folder });
  if (file === undefined) throw new Error(`${name} has no license file, so it cannot be bundled.`);
  return `${name} ${version} (${license})\n\n${readFileSync(`${folder}/${file}`, "utf8").trim()}\n`;
}
