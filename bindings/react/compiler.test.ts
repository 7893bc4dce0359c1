import { globSync, readFileSync } from "node:fs";
import { transformSync } from "esbuild";
import { Linter } from "eslint";
import hooks from "eslint-plugin-react-hooks";
import { expect, test } from "vitest";

const files = globSync("*.{ts,tsx}", { cwd: import.meta.dirname, exclude: ["*.test.*", "*.test-d.*"] });

/** Reports violations of React's lint rules, including the compiler's. */
function lint(text: string): readonly string[] {
  const { code } = transformSync(text, { loader: "tsx", jsx: "preserve", target: "esnext" });
  const rules = hooks.configs.flat["recommended-latest"];
  const languageOptions = { parserOptions: { ecmaFeatures: { jsx: true } } };
  return new Linter().verify(code, [rules, { languageOptions }]).map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

test.for(files)("%s follows the rules of React's compiler", (file) => {
  expect(lint(readFileSync(`${import.meta.dirname}/${file}`, "utf8"))).toEqual([]);
});

test("the check finds a ref that is read during render, and an effect with a missing dependency", () => {
  const wrong = `
    import { useEffect, useRef } from "react";
    export function useWrong(name: string) {
      const ref = useRef(name);
      useEffect(() => console.log(name), []);
      return ref.current;
    }`;
  const found = lint(wrong).map((message) => message.split(":")[0]);
  expect(new Set(found)).toEqual(new Set(["react-hooks/refs", "react-hooks/exhaustive-deps"]));
});
