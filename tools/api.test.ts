import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { compile } from "./compile.ts";
import { entries, exportsOf, root } from "./entries.ts";
import { surfaceText } from "./surface.ts";

test("package.json exports exactly the entries of the table", () => {
  expect(JSON.parse(readFileSync(`${root}package.json`, "utf8")).exports).toEqual(exportsOf(entries));
});

describe("the API report", () => {
  const typed = entries.filter(({ subpath }) => subpath !== undefined);
  const { checker, file } = compile(typed.map(({ output }) => `dist/${output}.d.ts`));

  // After an intended change: npm run test:api -- -u
  test.for(typed)("of $subpath matches the reviewed one", async ({ subpath, output }) => {
    const name = subpath === "." ? "core" : subpath?.slice(2);
    const surface = surfaceText(file(`dist/${output}.d.ts`), checker);
    await expect(surface).toMatchFileSnapshot(`../contract/${name}.txt`);
  });
});
