import ts from "typescript";
import { root } from "./entries.ts";

/** A program over the repository in which some files have another text, or exist at all. */
export interface Compilation {
  readonly checker: ts.TypeChecker;
  /** A file of the program, by its path from the root. */
  file(path: string): ts.SourceFile;
  /** What is wrong in a file, each as `line: message`. */
  errors(path: string): readonly string[];
}

/** Type-checks `roots` by the repository's own tsconfig; `overlay` is text by path from the root. */
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
    if (found === undefined) throw new Error(`${path} is not there. Where it is in dist/, run npm run build.`);
    return found;
  };
  return {
    checker: program.getTypeChecker(),
    file,
    errors: (path) => ts.getPreEmitDiagnostics(program, file(path)).map((problem) => describe(problem)),
  };
}

function repositoryOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile);
  return ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root).options;
}

// Read once for all programs of a run: most of a program is the platform's and the packages' declarations.
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
