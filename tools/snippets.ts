/** One fenced block of a Markdown file. */
export interface Snippet {
  /** The file and line of its first line of code, such as `README.md:12`. */
  readonly location: string;
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
    return { location: `${path}:${line}`, language, words, text: text.replaceAll(new RegExp(`^${indent}`, "gm"), "") };
  });
}

/** A program of a document: a block and the `more` blocks that continue it. */
export interface Program {
  readonly location: string;
  readonly language: string;
  readonly text: string;
  /** Whether the test runs it, and its expected output. */
  readonly run: boolean;
  readonly output: string | undefined;
}

/** The programs among a file's snippets. `more` continues the previous one; `text output` is its expected output. */
export function programsOf(snippets: readonly Snippet[]): readonly Program[] {
  const programs: Program[] = [];
  for (const { location, language, words, text } of snippets) {
    const last = programs.at(-1);
    if (last && words.includes("output")) programs.splice(-1, 1, { ...last, output: text });
    else if (last && words.includes("more")) programs.splice(-1, 1, { ...last, text: `${last.text}\n${text}` });
    else programs.push({ location, language, text, run: words.includes("run"), output: undefined });
  }
  return programs;
}
