import { readFileSync } from "node:fs";
import { root } from "../entries.ts";
import { snippetsOf } from "../snippets.ts";

/** The frameworks that have a quick start. */
export const frameworks = ["vanilla", "react", "vue", "svelte"] as const;

/** A framework that has a quick start. */
export type Framework = (typeof frameworks)[number];

/** One thing that a reader of a quick start does: run a command, or write a file. */
export type Step = { readonly command: string } | { readonly path: string; readonly text: string };

/** The steps of the page docs/quick-start/{framework}.md, in order. */
export function readSteps(framework: Framework): readonly Step[] {
  return stepsOf(`docs/quick-start/${framework}.md`);
}

/** The steps of a Markdown file, in order. */
export function stepsOf(path: string): readonly Step[] {
  return snippetsOf(path, readFileSync(root + path, "utf8")).flatMap(({ words, text }): readonly Step[] => {
    if (words.includes("app"))
      return text
        .trim()
        .split("\n")
        .map((command) => ({ command }));
    const [, file] = /^\[(.+)\]$/.exec(words[0] ?? "") ?? [];
    return file === undefined ? [] : [{ path: file, text }];
  });
}
