import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { errorCodes } from "../core/errors.ts";
import { defaultLimits } from "../core/limits.ts";
import { serveFlags } from "../reference-server/command/serve.ts";
import { root } from "../tools/entries.ts";
import { snippetsOf } from "../tools/snippets.ts";

const pages = globSync(["{,reference-server/}README.md", "CONTRIBUTING.md", "docs/**/*.md"], {
  cwd: root,
  exclude: ["docs/api/**"],
});
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const guide = read("docs/guide.md");

/** The cells of the table rows whose first cell is a code word. */
const rows = new Map(
  [...guide.matchAll(/^\| `([\w-]+)` \|(.*)\|$/gm)].map(([, name = "", cells = ""]) => [
    name,
    cells.split("|").map((cell) => cell.trim()),
  ]),
);

describe("the guide", () => {
  test.each(errorCodes)("says when there is the error %s, and what to do", (code) => {
    expect(rows.get(code)).toEqual([expect.stringMatching(/./), expect.stringMatching(/./)]);
  });

  test.each(Object.entries(defaultLimits))("gives the default of %s", (limit, value) => {
    const said = rows.get(limit)?.[0] ?? "";
    expect(Number.parseInt(said.replaceAll(" ", ""), 10) * (said.endsWith("MiB") ? 2 ** 20 : 1)).toBe(value);
  });

  test("uses only flags that the server has", () => {
    const flags = [...guide.matchAll(/--([a-z][a-z-]*)/g)].map(([, flag = ""]) => flag);
    expect(
      flags.filter((flag) => flag !== "help" && !flag.startsWith("experimental") && !(flag in serveFlags)),
    ).toEqual([]);
  });
});

const links = pages.flatMap((path) => {
  const prose = snippetsOf(path, read(path)).reduce((text, { text: code }) => text.replace(code, ""), read(path));
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => [path, link] as const);
});

test.each(links.filter(([, link]) => !/^https?:/.test(link)))("%s leads on to %s, which is there", (path, link) => {
  const [file = "", heading] = link.split("#");
  const target = file === "" ? path : join(dirname(path), file);
  expect(existsSync(join(root, target))).toBe(true);
  if (heading) expect(headingsOf(read(target))).toContain(heading);
});

/** The headings of a page, as links name them. */
function headingsOf(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}
