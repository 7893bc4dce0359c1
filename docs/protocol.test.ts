import { readFileSync } from "node:fs";
import * as v from "valibot";
import { expect, test } from "vitest";
import { parseVectors, vectors } from "../core/identity/testing/vectors.ts";
import { closeCode } from "../core/protocol/close-code.ts";
import { toClient } from "../core/protocol/to-client.ts";
import { toServer } from "../core/protocol/to-server.ts";
import { viewNames } from "../core/wire/annotations.ts";
import { Kind } from "../core/wire/frames.ts";
import { snippetsOf } from "../tools/snippets.ts";

interface Vector {
  readonly hex: string;
  readonly reads: unknown;
}

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const page = read("protocol.md");
const golden: Readonly<Record<string, Vector>> = JSON.parse(read("../core/wire/golden.json"));

/** A name, indented lines of hexadecimal, an indented line of JSON; an empty line between two vectors. */
const shown: Readonly<Record<string, Vector>> = Object.fromEntries(
  snippetsOf("protocol.md", page)
    .filter(({ words }) => words.includes("golden"))
    .flatMap(({ text }) => text.trimEnd().split("\n\n"))
    .map((vector) => {
      const [name = "", ...lines] = vector.split("\n").map((line) => line.trim());
      return [name, { reads: JSON.parse(lines.pop() ?? ""), hex: lines.join("").replaceAll(" ", "") }];
    }),
);

test("every golden vector is shown, byte for byte, with what is read from it", () => {
  expect(shown).toEqual(golden);
});

test("every vector of identity is shown", () => {
  const text = snippetsOf("protocol.md", page).find((snippet) => snippet.words.includes("identity"))!.text;
  expect(parseVectors(text)).toEqual(vectors);
});

test.each(Object.entries(Kind))("the frame %s is shown, in the table and in bytes", (name, kind) => {
  expect(page).toContain(`| ${kind} | \`${name}\` |`);
  expect(Object.values(shown).some(({ reads }) => (reads as readonly unknown[])[0] === kind)).toBe(true);
});

test.each(viewNames)("the kind of annotation %s is in the table", (kind) => {
  expect(page).toContain(`\`${kind}\``);
});

test.each(Object.keys({ ...toServer, ...toClient }))("the message %s is described", (type) => {
  expect(page).toContain(`\`${type}\``);
});

const frames = snippetsOf("protocol.md", page)
  .filter(({ words }) => words.includes("discovery"))
  .flatMap(({ text }) => text.trimEnd().split("\n"));

test("there are examples of discovery frames", () => {
  expect(frames.length).toBeGreaterThan(5);
});

test.each(frames)("the example %s is a valid frame with known fields only", (line) => {
  const { type, data } = JSON.parse(line.slice(2));
  const schemas: Readonly<Record<string, v.GenericSchema>> = line.startsWith("→ ") ? toServer : toClient;
  expect(v.parse(schemas[type]!, data)).toEqual(data);
});

test.each(Object.values(closeCode))("the close code %i is described", (code) => {
  expect(page).toMatch(new RegExp(`\\b${code}\\b`));
});
