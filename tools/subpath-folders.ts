import { mkdirSync, writeFileSync } from "node:fs";
import { entriesOf, type Package, root } from "./entries.ts";

/** The folders of a package that stand for its subpaths. */
export function subpathFolders(built: Package): readonly string[] {
  return subpathEntries(built).map(({ subpath }) => subpath!.slice(2));
}

/**
 * Writes a folder for each subpath of a package, with a package.json that points to the built files. Parcel 2 and
 * TypeScript's `moduleResolution: node` do not read `exports`; they look for such a folder.
 */
export function writeSubpathFolders(built: Package): void {
  for (const { subpath, output, types = output } of subpathEntries(built)) {
    const folder = `${root}${built.folder}${subpath!.slice(2)}`;
    const manifest = { type: "module", main: `../dist/${output}.js`, types: `../dist/${types}.d.ts` };
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  }
}

function subpathEntries(built: Package) {
  return entriesOf(built).filter(({ subpath }) => subpath?.startsWith("./"));
}
