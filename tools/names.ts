import { globSync, readFileSync, statSync } from "node:fs";
import { posix } from "node:path";
import ts from "typescript";
import { root } from "./entries.ts";

/**
 * Names and phrases that the project no longer uses, because readers had to learn them. Each file name and identifier has
 * a standard term instead. Most of these words are metaphors, so a new use of one is probably another metaphor.
 */

/** Base names of files, without extensions. */
export const retiredFileNames: ReadonlySet<string> = new Set(
  `wish places dialling signals closing measuring reading rate lanes flows joiner join parts pace notes values restore
  shapes fits malformed ask tell turns incoming-exchange incoming-request parcel announcement tally lock-step numbered misuse
  bounded comeback departure silence host page roll beat-roll lock-roll health victim ward stub-link two-ends
  mouth stream-stage recorder lost-peers waking shared-views door circles view impatient deadline guard seen
  redis-post redis-settling redis-upkeep redis-engine one-step told-trust crowd scene called counted offered shown served
  let-go stage swarm contestant figure orders directions house`.split(/\s+/),
);

/** Identifiers of exports, members and locals. */
export const retiredNames: ReadonlySet<string> = new Set(
  `wish Guest isCrowdedOut dialling sayAll createWish Whole Assembly Cut createTurns toPlain Question Calling nobody breach
  mayBeMisuse Exchange NamedExchange offerOver comeNow comeBack comeback doubt departure Door Circle Circles News
  toldTrust impatient patience linger graceForOwn hurry crowd Crowd scene Scene contestant Contestant goodbye tell tells
  hear hears heard mouth victim Ward lockStep announcement misuse numbered house door
  circles`.split(/\s+/),
);

/** Phrases in comments, messages, test titles and documentation. */
export const retiredPhrases: readonly RegExp[] = [
  /\bwhoever\b/i,
  /\bwhomever\b/i,
  /\bnought\b/i,
  /\blest\b/i,
  /\bat which\b/i,
  /\bto whom\b/i,
  /\bof which\b/i,
  /\bthe house\b/i,
  /\bthe seed's\b/i,
  /\bgoodbye\b/i,
  /\bis nobody's\b/i,
  /\bdiall(?:ed|er|ers|ing)\b/i,
];

const sourcePattern =
  "{core,bindings,reference-server,examples,bench,docs,tools}/**/*.{ts,tsx,mts,js,mjs,vue,svelte,py}";
const documentPattern = "{*.md,contract/*,docs/**/*.md,reference-server/*.md}";
const exclude = [
  "**/{node_modules,dist}/**",
  "docs/api/**",
  "examples/seed/**",
  "tools/names.ts",
  "tools/arch.test.ts",
];

/** A text of the repository. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** Reads all sources and documents. */
export function readTexts(): readonly TextFile[] {
  return (
    globSync([sourcePattern, documentPattern], { cwd: root, exclude })
      // A folder of attachments has the name of its test.
      .filter((path) => statSync(root + path).isFile())
      .map((path) => ({ path, text: readFileSync(root + path, "utf8") }))
      .sort((a, b) => (a.path < b.path ? -1 : 1))
  );
}

/** The retired names and phrases in a file, each as a sentence. */
export function retiredWordsIn({ path, text }: TextFile): readonly string[] {
  const [base = ""] = posix.basename(path).split(".");
  const isScript = /\.[cm]?[jt]sx?$/.test(path);
  return [
    ...(retiredFileNames.has(base) ? [`${path}: the file name "${base}" is retired`] : []),
    ...(isScript ? declaredNames(path, text).filter((name) => retiredNames.has(name)) : []).map(
      (name) => `${path}: the name "${name}" is retired`,
    ),
    ...text.split("\n").flatMap((line, index) =>
      retiredPhrases.flatMap((phrase) => {
        const [found] = phrase.exec(line) ?? [];
        return found === undefined ? [] : [`${path}:${index + 1}: write something else for "${found}"`];
      }),
    ),
  ];
}

/** The names that a source file declares: variables, functions, parameters, types and their members. */
function declaredNames(path: string, text: string): readonly string[] {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const { name } = node as { name?: ts.Node };
    const isUse = ts.isPropertyAccessExpression(node) || ts.isImportSpecifier(node);
    if (name && ts.isIdentifier(name) && !isUse) names.add(name.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
  return [...names];
}
