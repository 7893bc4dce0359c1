import { globSync, readFileSync } from "node:fs";
import { transformSync } from "esbuild";
import { Linter } from "eslint";
import hooks from "eslint-plugin-react-hooks";
import { expect, test } from "vitest";

const files = globSync("*.{ts,tsx}", { cwd: import.meta.dirname, exclude: ["*.test.*", "*.test-d.*"] });

/** What React's own rules, the compiler's included, say of a module. */
function complaints(text: string): readonly string[] {
  const { code } = transformSync(text, { loader: "tsx", jsx: "preserve", target: "esnext" });
  const rules = hooks.configs.flat["recommended-latest"];
  const languageOptions = { parserOptions: { ecmaFeatures: { jsx: true } } };
  return new Linter().verify(code, [rules, { languageOptions }]).map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

test.for(files)("%s is as React's compiler wants it", (file) => {
  expect(complaints(readFileSync(`${import.meta.dirname}/${file}`, "utf8"))).toEqual([]);
});

test("the check sees a ref that is read in render, and an effect that forgets what it depends on", () => {
  const wrong = `
    import { useEffect, useRef } from "react";
    export function useWrong(name: string) {
      const ref = useRef(name);
      useEffect(() => console.log(name), []);
      return ref.current;
    }`;
  const found = complaints(wrong).map((complaint) => complaint.split(":")[0]);
  expect(new Set(found)).toEqual(new Set(["react-hooks/refs", "react-hooks/exhaustive-deps"]));
});
