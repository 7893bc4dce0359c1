import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import ts from "typescript";
import { root } from "./entries.ts";

/** A file of the repository and its imports, including types. Paths are relative to the root. */
export interface SourceFile {
  readonly path: string;
  /** The repository's own files. */
  readonly files: readonly string[];
  /** The files that it imports at run time, without `import type`. */
  readonly loads: readonly string[];
  /** The files among these that it loads with `import()`. */
  readonly loadsLater: readonly string[];
  /** Packages and `node:` modules, without subpaths. */
  readonly packages: readonly string[];
}

const folders = ["core", "bindings", "reference-server", "examples", "bench", "docs", "tools"];

/** Every TypeScript file of the repository. */
export function readSources(): readonly SourceFile[] {
  return globSync(`{${folders.join(",")}}/**/*.{ts,tsx}`, { cwd: root, exclude: ["**/dist/**", "**/node_modules/**"] })
    .map((path) => path.replaceAll("\\", "/"))
    .sort()
    .map((path) => importsOf(path, readFileSync(root + path, "utf8")));
}

/** The static, dynamic and type imports of a file's text. */
export function importsOf(path: string, text: string): SourceFile {
  const imports = importsIn(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
  const own = imports
    .filter(({ name }) => isRelative(name))
    .map(({ name, kind }) => ({ file: posix.join(posix.dirname(path), name), kind }));
  return {
    path,
    files: own.map(({ file }) => file),
    loads: own.filter(({ kind }) => kind !== "type").map(({ file }) => file),
    loadsLater: own.filter(({ kind }) => kind === "dynamic").map(({ file }) => file),
    packages: imports.filter(({ name }) => !isRelative(name)).map(({ name }) => packageOf(name)),
  };
}

/** The files that `start` imports directly or indirectly, including itself. */
export function reachable(start: readonly string[], sources: readonly SourceFile[]): ReadonlySet<string> {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const seen = new Set(start);
  for (const path of seen) for (const next of byPath.get(path)?.files ?? []) seen.add(next);
  return seen;
}

/** The files that are loaded together with `start`, including itself. */
export function loadedWith(start: string, sources: readonly SourceFile[]): ReadonlySet<string> {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const seen = new Set([start]);
  for (const path of seen) {
    const { loads = [], loadsLater = [] } = byPath.get(path) ?? {};
    for (const next of loads) if (!loadsLater.includes(next)) seen.add(next);
  }
  return seen;
}

/** The import cycles, each as a list of files that ends with its first file. */
export function importCycles(sources: readonly SourceFile[]): readonly (readonly string[])[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const begin = trail.indexOf(path);
    if (begin >= 0) found.push([...trail.slice(begin), path]);
    if (begin >= 0 || done.has(path)) return;
    for (const next of byPath.get(path)?.loads ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const { path } of sources) visit(path, []);
  return found;
}

interface Import {
  readonly name: string;
  /** A type is erased, and a dynamic import is loaded later. */
  readonly kind: "static" | "dynamic" | "type";
}

function importsIn(file: ts.SourceFile): Import[] {
  const found: Import[] = [];
  const visit = (node: ts.Node): void => {
    const target = targetOf(node);
    if (target !== undefined && ts.isStringLiteral(target)) found.push({ name: target.text, kind: kindOf(node) });
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

function targetOf(node: ts.Node): ts.Expression | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return node.arguments[0];
  return undefined;
}

function kindOf(node: ts.Node): Import["kind"] {
  if (isErased(node)) return "type";
  return ts.isCallExpression(node) ? "dynamic" : "static";
}

function isErased(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node)) return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
  return ts.isImportTypeNode(node) || (ts.isExportDeclaration(node) && node.isTypeOnly);
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith(".");
}

function packageOf(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier;
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
