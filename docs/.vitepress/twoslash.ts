import { transformerTwoslash } from "@shikijs/vitepress-twoslash";
import { type CreateTwoslashVueOptions, createTwoslasher } from "twoslash-vue";
import ts from "typescript";
import type { MarkdownRenderer } from "vitepress";
import { repositoryOptions } from "../../tools/compile.ts";
import { root } from "../../tools/entries.ts";

type Environments = Exclude<CreateTwoslashVueOptions["cache"], boolean | undefined>;

/**
 * The environments of TypeScript. twoslash writes each block twice, the second time to find its errors, because asking for types
 * adds errors for the elements of JSX. Here an environment finds the errors first, and keeps them when it gets the same text again.
 */
function createEnvironments(): Environments {
  const environments: Environments = new Map();
  const add = environments.set.bind(environments);
  environments.set = (key, environment) => {
    const texts = new Map<string, string>();
    for (const method of ["createFile", "updateFile"] as const) {
      const write = environment[method];
      environment[method] = (path, text) => {
        if (texts.get(path) === text) return;
        texts.set(path, text);
        write(path, text);
        if (text !== "") environment.languageService.getSemanticDiagnostics(path);
      };
    }
    return add(key, environment);
  };
  return environments;
}

const twoslashOptions: CreateTwoslashVueOptions = {
  // Without the slash at its end: twoslash ignores the errors of a file whose path has two in a row.
  vfsRoot: root.slice(0, -1),
  compilerOptions: {
    ...repositoryOptions(),
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    // Not among the extra files of twoslash: it would compile everything anew for each block.
    types: ["node", `${root}examples/vue.d.ts`],
  },
  cache: createEnvironments(),
};

/** Reads TypeScript and the components of Vue. */
const twoslasher = createTwoslasher(twoslashOptions);

/** Reads also the scripts of Svelte's components. Spaces in place of the markup keep the positions of the names. */
function readTypes(...[code, language, options]: Parameters<typeof twoslasher>): ReturnType<typeof twoslasher> {
  if (language !== "svelte") return twoslasher(code, language, options);
  const script = code.replace(/^.*?<script[^>]*>|<\/script>.*$/gs, (markup) => markup.replace(/\S/g, " "));
  return { ...twoslasher(script, "ts", options), code };
}

/** The first paragraph of a docstring; the API pages have the rest. twoslash puts the parts of a link on lines of their own. */
function firstParagraph(docs: string): string {
  return docs.replace(/(^|\n)\{@link \n(\S+) ?\n\}(\n|$)/g, "`$2`").replace(/\n\n.*/s, "");
}

/** Shows the types in code blocks on hover. A block with a type error fails the build. */
export const twoslash: ReturnType<typeof transformerTwoslash> = transformerTwoslash({
  processHoverDocs: firstParagraph,
  langs: ["ts", "tsx", "vue", "svelte"],
  twoslashOptions,
  twoslasher: readTypes,
});

const guides = /^(start|quick-start|concepts|frameworks|recipes|deploy|help|migrate)\//;

/**
 * Selects the code blocks that show types: those of the guides. A `more` block is compiled after the program that it continues.
 * The search index needs neither types nor colors.
 */
export function selectTypedBlocks(md: MarkdownRenderer): void {
  md.core.ruler.push("typed-blocks", ({ tokens, env }) => {
    const fences = tokens.filter(({ type }) => type === "fence");
    if (env.isSearched) for (const fence of fences) fence.info = "txt";
    if (env.isSearched || !guides.test(env.relativePath)) return;
    let program = "";
    for (const token of fences) {
      if (!/^(ts|tsx|vue|svelte)\b/.test(token.info)) continue;
      const isMore = /\bmore\b/.test(token.info);
      const text = token.content;
      if (isMore) token.content = `${program}// ---cut---\n${text}`;
      program = isMore ? program + text : text;
      token.info += " twoslash";
    }
  });
}
