import { readFileSync } from "node:fs";
import { transformerTwoslash } from "@shikijs/vitepress-twoslash";
import { type CreateTwoslashVueOptions, createTwoslasher } from "twoslash-vue";
import ts from "typescript";
import type { MarkdownRenderer } from "vitepress";
import { repositoryOptions } from "../../tools/compile.ts";
import { root } from "../../tools/entries.ts";

const twoslashOptions: CreateTwoslashVueOptions = {
  vfsRoot: root,
  compilerOptions: {
    ...repositoryOptions(),
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    moduleDetection: ts.ModuleDetectionKind.Force,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
  extraFiles: { "vue.d.ts": readFileSync(`${root}examples/vue.d.ts`, "utf8") },
};

/** Reads TypeScript and the components of Vue. */
const twoslasher = createTwoslasher(twoslashOptions);

/** Reads also the scripts of Svelte's components. Spaces in place of the markup keep the positions of the names. */
function readTypes(...[code, language, options]: Parameters<typeof twoslasher>): ReturnType<typeof twoslasher> {
  if (language !== "svelte") return twoslasher(code, language, options);
  const script = code.replace(/^.*?<script[^>]*>|<\/script>.*$/gs, (markup) => markup.replace(/\S/g, " "));
  return { ...twoslasher(script, "ts", options), code };
}

/** Shows the types in code blocks on hover. A block with a type error fails the build. */
export const twoslash: ReturnType<typeof transformerTwoslash> = transformerTwoslash({
  // The API pages have the rest.
  processHoverDocs: (docs) => docs.replace(/\n\n.*/s, ""),
  langs: ["ts", "tsx", "vue", "svelte"],
  twoslashOptions,
  twoslasher: readTypes,
});

const guides = /^(start|quick-start|concepts|frameworks|recipes|deploy|help|migrate)\//;

/** Selects the code blocks that show types: those of the guides. A `more` block is compiled after the program that it continues. */
export function selectTypedBlocks(md: MarkdownRenderer): void {
  md.core.ruler.push("typed-blocks", ({ tokens, env }) => {
    // The search index needs no types.
    if (env.isSearched || !guides.test(env.relativePath)) return;
    let program = "";
    for (const token of tokens) {
      if (token.type !== "fence" || !/^(ts|tsx|vue|svelte)\b/.test(token.info)) continue;
      const isMore = /\bmore\b/.test(token.info);
      const text = token.content;
      if (isMore) token.content = `${program}// ---cut---\n${text}`;
      program = isMore ? program + text : text;
      token.info += " twoslash";
    }
  });
}
