import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { manifestOf, type Package, packages, root } from "./entries.ts";
import { writeSubpathFolders } from "./subpath-folders.ts";

/** A package as `npm pack` makes it. */
export interface Tarball {
  /** Absolute path of the .tgz. */
  readonly path: string;
  /** Every file in it, from the package's folder. */
  readonly files: readonly string[];
}

// What a package may contain; its package.json selects from it.
const texts = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"];
const packable = ["dist", "docs", "examples/recipes", "package.json", ...texts];

/** Packs a copy of a built package into `folder`. */
function pack(built: Package, folder: string): Tarball {
  const copy = mkdtempSync(join(tmpdir(), "bonevalue-pack-"));
  for (const name of packable) {
    const source = `${root}${built.folder}${name}`;
    // A test may build the site of docs/ at the same time.
    const filter = (path: string) => !/docs\/(api|\.vitepress)$/.test(path);
    if (existsSync(source)) cpSync(source, join(copy, name), { recursive: true, filter });
  }
  writeSubpathFolders(built, copy);
  const out = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: copy });
  rmSync(copy, { recursive: true });
  const [packed] = Object.values(JSON.parse(out.toString())) as { filename: string; files: { path: string }[] }[];
  return { path: join(folder, packed!.filename), files: packed!.files.map(({ path }) => path) };
}

/** Packs every package into `folder`. */
export function packAll(folder: string): ReadonlyMap<Package, Tarball> {
  return new Map(packages.map((one) => [one, pack(one, folder)]));
}

/**
 * Unpacks a tarball into the node_modules of `app`, and links its dependencies from this repository, so that nothing is
 * downloaded. `peers` names the optional peers to link. Returns the installed package's folder.
 */
export function install(from: Package, { path }: Tarball, app: string, peers: readonly string[] = []): string {
  const home = join(app, "node_modules", from.name);
  mkdirSync(home, { recursive: true });
  execFileSync("tar", ["-xzf", path, "-C", home, "--strip-components=1"]);
  for (const name of [...Object.keys(manifestOf(from)["dependencies"]), ...peers]) linkPackage(name, app);
  return home;
}

/** Links a package of this repository into the node_modules of `app`, unless it is there. */
export function linkPackage(name: string, app: string): void {
  const target = join(app, "node_modules", name);
  if (existsSync(target)) return;
  mkdirSync(dirname(target), { recursive: true });
  symlinkSync(`${root}node_modules/${name}`, target);
}
