import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { entriesOf, type Package, packages, root } from "./entries.ts";

/** The folders of a package that stand for its subpaths. */
export function subpathFolders(built: Package): readonly string[] {
  return subpathEntries(built).map(({ subpath }) => subpath!.slice(2));
}

/**
 * Writes a folder for each subpath of a package into `home`, with a package.json that points to the built files. Parcel 2
 * and TypeScript's `moduleResolution: node` do not read `exports`; they look for such a folder. The folders exist only
 * while the package is packed: in the working tree, Vite would take `svelte/` for the package of that name.
 */
export function writeSubpathFolders(built: Package, home: string): void {
  for (const { subpath, output, types = output } of subpathEntries(built)) {
    const folder = `${home}/${subpath!.slice(2)}`;
    const manifest = { type: "module", main: `../dist/${output}.js`, types: `../dist/${types}.d.ts` };
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  }
}

function subpathEntries(built: Package) {
  return entriesOf(built).filter(({ subpath }) => subpath?.startsWith("./"));
}

// `npm pack` and `npm publish` call this file before and after.
if (process.argv[1] === import.meta.filename) {
  for (const built of packages) {
    const home = `${root}${built.folder}`;
    if (process.argv[2] === "write") writeSubpathFolders(built, home);
    else for (const name of subpathFolders(built)) rmSync(`${home}${name}`, { recursive: true, force: true });
  }
}
