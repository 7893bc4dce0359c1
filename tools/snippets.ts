/** One fenced block of a Markdown file. */
export interface Snippet {
  /** `README.md:12`: where its first line of code is. */
  readonly place: string;
  readonly language: string;
  /** The words after the language: `run`, `more`, `output`. */
  readonly words: readonly string[];
  readonly text: string;
}

/** The fenced blocks of a file, in order. */
export function snippetsOf(path: string, markdown: string): readonly Snippet[] {
  return [...markdown.matchAll(/^( *)(```+)([^\n`]*)\n([\s\S]*?)^\1\2$/gm)].map((found) => {
    const [, indent = "", , info = "", text = ""] = found;
    const [language = "", ...words] = info.trim().split(/\s+/);
    const line = markdown.slice(0, found.index).split("\n").length + 1;
    return { place: `${path}:${line}`, language, words, text: text.replaceAll(new RegExp(`^${indent}`, "gm"), "") };
  });
}

/** A program that a file shows, put together from a block and the blocks that go on from it. */
export interface Program {
  readonly place: string;
  readonly language: string;
  readonly text: string;
  /** Whether it is to be run, and what it then prints, where the file says so. */
  readonly run: boolean;
  readonly output: string | undefined;
}

/** The programs among a file's snippets: `more` goes on from the one before, `text output` is what that one prints. */
export function programsOf(snippets: readonly Snippet[]): readonly Program[] {
  const programs: Program[] = [];
  for (const { place, language, words, text } of snippets) {
    const last = programs.at(-1);
    if (last && words.includes("output")) programs.splice(-1, 1, { ...last, output: text });
    else if (last && words.includes("more")) programs.splice(-1, 1, { ...last, text: `${last.text}\n${text}` });
    else programs.push({ place, language, text, run: words.includes("run"), output: undefined });
  }
  return programs;
}
