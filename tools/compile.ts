import ts from "typescript";
import { root } from "./entries.ts";

/** A compilation of the repository with virtual files. */
export interface Compilation {
  readonly checker: ts.TypeChecker;
  /** A source file, by its path from the root. */
  file(path: string): ts.SourceFile;
  /** The errors of a file, each as `line: message`. */
  errors(path: string): readonly string[];
}

/** Type-checks `roots` with the repository's tsconfig. `overlay` maps paths to the text of virtual files. */
export function compile(
  roots: readonly string[],
  overlay: Readonly<Record<string, string>> = {},
  options: ts.CompilerOptions = {},
): Compilation {
  const program = ts.createProgram({
    rootNames: roots.map((path) => root + path),
    options: { ...repositoryOptions(), noUnusedLocals: false, noUnusedParameters: false, ...options },
    host: hostOver(overlay),
  });
  const file = (path: string): ts.SourceFile => {
    const found = program.getSourceFile(root + path);
    if (found === undefined) throw new Error(`${path} is missing. If it is in dist/, run npm run build.`);
    return found;
  };
  return {
    checker: program.getTypeChecker(),
    file,
    errors: (path) => ts.getPreEmitDiagnostics(program, file(path)).map((problem) => describe(problem)),
  };
}

/** The compiler options of the repository. */
export function repositoryOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  return ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root).options;
}

// Cached for all compilations, because most files are declarations of the platform and of packages.
const read = new Map<string, ts.SourceFile | undefined>();

function hostOver(overlay: Readonly<Record<string, string>>): ts.CompilerHost {
  const host = ts.createCompilerHost({}, true);
  const texts = new Map(Object.entries(overlay).map(([path, text]) => [root + path, text]));
  return {
    ...host,
    fileExists: (path) => texts.has(path) || host.fileExists(path),
    readFile: (path) => texts.get(path) ?? host.readFile(path),
    getSourceFile(path, language, ...rest) {
      const text = texts.get(path);
      if (text !== undefined) return ts.createSourceFile(path, text, language);
      if (!read.has(path)) read.set(path, host.getSourceFile(path, language, ...rest));
      return read.get(path);
    },
  };
}

function describe({ file, start, messageText }: ts.Diagnostic): string {
  const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
  return `${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
}
