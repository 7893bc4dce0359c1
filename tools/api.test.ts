import { describe, expect, test } from "vitest";
import { compile } from "./compile.ts";
import { entries, entriesOf, exportsOf, importNameOf, manifestOf, packages, typesOf } from "./entries.ts";
import { surfaceText } from "./surface.ts";

test.for(packages)("the package.json of $name exports exactly the entries of the table", (one) => {
  expect(manifestOf(one)["exports"]).toEqual(exportsOf(entriesOf(one)));
});

describe("the API report", () => {
  const typed = entries
    .filter(({ subpath, types }) => subpath !== undefined && types === undefined)
    .map((entry) => ({ name: importNameOf(entry)!, types: typesOf(entry) }));
  const { checker, file } = compile(typed.map(({ types }) => types));

  // After an intended change: npm run test:api -- -u
  test.for(typed)("of $name matches the reviewed one", async ({ name, types }) => {
    const surface = surfaceText(file(types), checker);
    const report = name === "bonevalue" ? "core" : name.replace(/^bonevalue./, "").replace("/", "-");
    await expect(surface).toMatchFileSnapshot(`../contract/${report}.txt`);
  });
});
