import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { helpFor } from "../core/devtools/panel/help.ts";
import { errorCodes } from "../core/errors.ts";
import { defaultLimits } from "../core/limits.ts";
import { serveFlags } from "../reference-server/command/serve.ts";
import { createMetrics } from "../reference-server/metrics.ts";
import { root } from "../tools/entries.ts";
import { snippetsOf } from "../tools/snippets.ts";

const pages = globSync(["{,reference-server/}README.md", "CONTRIBUTING.md", "docs/**/*.md"], {
  cwd: root,
  exclude: ["docs/api/**"],
});
const read = (path: string): string => readFileSync(join(root, path), "utf8");

describe("the page of errors", () => {
  const sections = new Map(
    read("docs/reference/errors.md")
      .split(/^###? /m)
      .map((section) => [section.slice(0, section.indexOf("\n")), section]),
  );

  test.each(errorCodes)("says when there is the error %s, and what to do", (code) => {
    expect(sections.get(`\`${code}\``)).toMatch(/\n\n[A-Z].+\n\n\*\*What to do:\*\* [A-Z`].+\./s);
  });

  test.each(errorCodes)("has the section that the inspector names for %s", (code) => {
    const [path = "", heading] = helpFor(code).split("#");
    expect(headingsOf(read(path))).toContain(heading);
  });

  test("has no other codes", () => {
    const listed = [...sections.keys()].flatMap((title) => /^`(.*)`$/.exec(title)?.[1] ?? []);
    expect(listed.toSorted()).toEqual(errorCodes.toSorted());
  });
});

test.each(Object.entries(defaultLimits))("the page of limits gives the default of %s", (limit, value) => {
  const row = new RegExp(`^\\| \`${limit}\` \\| ([\\d ]*\\d)( MiB)?`, "m");
  const [, number = "", unit] = row.exec(read("docs/reference/limits.md")) ?? [];
  expect(Number(number.replaceAll(" ", "")) * (unit ? 2 ** 20 : 1)).toBe(value);
});

test.each(pages)("%s uses only flags that the server has", (path) => {
  const flags = [...read(path).matchAll(/bonevalue-server[^\n`]* --([a-z][a-z-]*)/g)].map(([, flag = ""]) => flag);
  expect(flags.filter((flag) => flag !== "help" && !(flag in serveFlags))).toEqual([]);
});

test("the pages name every metric of the server, and no other", async () => {
  const [, text] = await createMetrics({ sockets: () => 0, online: () => 0, pipes: () => 0 }).text();
  const metrics = [...text.matchAll(/^# TYPE (bonevalue_\w+)/gm)].map(([, name]) => name);
  const named = pages.flatMap((path) => read(path).match(/\bbonevalue_\w+/g) ?? []);
  expect([...new Set(named)].toSorted()).toEqual(metrics.toSorted());
});

test.each(["vue", "svelte"])(
  "the page of %s has the headings of the page of react, and the same app as its complete file",
  (name) => {
    const partsOf = (framework: string) => {
      const page = read(`docs/frameworks/${framework}.md`);
      return [...page.matchAll(/^## .*$|(?<=^## A complete file\n\n).*$/gm)].map(([part]) => part);
    };
    expect(partsOf("react")).toContain("This app has a form to sign in, a list of peers, a module and a call.");
    expect(partsOf(name)).toEqual(partsOf("react"));
  },
);

const starts = ["vanilla", "react", "vue", "svelte"].map((name) => `${name}.md`);

test.each(starts)("the quick start %s links to the others before its first command", (start) => {
  const [intro = ""] = read(`docs/quick-start/${start}`).split("```");
  const linked = [...intro.matchAll(/\]\((\w+\.md)\)/g)].map(([, link]) => link);
  expect(linked).toEqual(starts.filter((other) => other !== start));
});

const links = pages.flatMap((path) => {
  const prose = snippetsOf(path, read(path)).reduce((text, { text: code }) => text.replace(code, ""), read(path));
  // Also those of pictures, which may be in HTML.
  return [...prose.matchAll(/(?:\]\(|<img src=")([^)\s"]+)/g)].map(([, link = ""]) => [path, link] as const);
});

// Links that begin with a slash lead to generated pages. The test of the built site follows them.
test.each(links.filter(([, link]) => !/^(https?:|\/)/.test(link)))("%s links to %s, which exists", (path, link) => {
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
