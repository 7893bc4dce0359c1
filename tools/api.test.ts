import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { later } from "../contract/later.ts";
import { compile } from "./compile.ts";
import { assignability, filledIn, without } from "./contract.ts";
import { entries, exportsOf, root } from "./entries.ts";
import { surfaceNames, surfaceText, valueNames } from "./surface.ts";

const contracts = [
  { contract: "contract/api.ts", implementation: "core/index.ts", waiting: later.api },
  { contract: "contract/server-api.ts", implementation: "reference-server/server.ts", waiting: later.server },
];

describe.for(contracts)("$implementation", ({ contract, implementation, waiting }) => {
  const text = readFileSync(root + contract, "utf8");
  const { checker, file } = compile([contract, implementation]);

  test(`offers everything that ${contract} names, but for what a later issue brings`, () => {
    const offered = new Set(surfaceNames(file(implementation), checker));
    const missing = surfaceNames(file(contract), checker).filter((name) => !offered.has(name));
    const apart = missing.filter((name) => {
      const [type, member] = name.split(".") as [string, string?];
      return member === undefined || !waiting.includes(type);
    });
    expect(apart).toEqual(waiting);
  });

  test(`can be used wherever ${contract} is asked for`, () => {
    const values = valueNames(file(contract), checker).filter((name) => !waiting.includes(name));
    const proof = "contract/assignable.ts";
    const overlay = {
      [contract]: filledIn(text, `../${implementation}`),
      [proof]: assignability(values, `../${contract}`, `../${implementation}`),
    };
    const compiled = compile([proof], overlay);
    expect([...compiled.errors(contract), ...compiled.errors(proof)]).toEqual([]);
  });
});

test("programs written against the contract compile against the implementation, wrong ones do not", () => {
  const program = readFileSync(`${root}contract/api.check.ts`, "utf8");
  const names = later.api.map((name) => name.split(".").at(-1) as string);
  const ready = without(names, program).replace('"./api.ts"', '"../core/index.ts"');
  expect(compile(["contract/ready.ts"], { "contract/ready.ts": ready }).errors("contract/ready.ts")).toEqual([]);
});

test("the contract's own check compiles against the contract", () => {
  expect(compile(["contract/api.check.ts"]).errors("contract/api.check.ts")).toEqual([]);
});

test("package.json exports exactly the entries of the table", () => {
  expect(JSON.parse(readFileSync(`${root}package.json`, "utf8")).exports).toEqual(exportsOf(entries));
});

describe("the published surface", () => {
  const typed = entries.filter(({ subpath }) => subpath !== undefined);
  const { checker, file } = compile(typed.map(({ output }) => `dist/${output}.d.ts`));

  // After a change that is meant: npm run test:api -- -u
  test.for(typed)("of $subpath is the one that was agreed on", async ({ subpath, output }) => {
    const name = subpath === "." ? "core" : subpath?.slice(2);
    const surface = surfaceText(file(`dist/${output}.d.ts`), checker);
    await expect(surface).toMatchFileSnapshot(`../contract/surface/${name}.txt`);
  });
});

describe("the check itself", () => {
  test("leaves out a statement that waits, and what was built on it", () => {
    const program = `import { call, stream } from "./api.ts";
call();
const tail = stream();
// @ts-expect-error wrong
tail.nope();
call(1);`;
    expect(without(["stream"], program).trim()).toBe(`import { call } from "./api.ts";\ncall();\ncall(1);`);
  });

  test("sees that an implementation asks for more than the contract gives", () => {
    const overlay = {
      "contract/a.ts": "export declare function f(x?: string): string;",
      "contract/b.ts": "export function f(x: string): string { return x; }",
      "contract/proof.ts": assignability(["f"], "./a.ts", "./b.ts"),
    };
    expect(compile(["contract/proof.ts"], overlay).errors("contract/proof.ts")).toHaveLength(1);
  });
});
