import { createMarkdownRenderer } from "vitepress";
import { beforeAll, expect, test, vi } from "vitest";
import { selectTypedBlocks, twoslash } from "./.vitepress/twoslash.ts";

let render: (block: string) => Promise<string>;
beforeAll(async () => {
  // twoslash prints the blocks that have errors.
  vi.spyOn(console, "error").mockImplementation(() => {});
  const md = await createMarkdownRenderer(import.meta.dirname, {
    codeTransformers: [twoslash],
    config: selectTypedBlocks,
  });
  render = (block) => md.renderAsync(block, { relativePath: "concepts/calls.md" });
});

const wrong = 'const count: number = "one";\nconsole.log(count);';
const blocks = {
  ts: wrong,
  tsx: `${wrong}\nexport const row = <p>{count}</p>;`,
  vue: `<script setup lang="ts">\n${wrong}\n</script>\n\n<template>{{ count }}</template>`,
  svelte: `<script lang="ts">\n${wrong}\n</script>\n\n<p>{count}</p>`,
};

test.for(Object.entries(blocks))(
  "a block of %s with a type error fails, and shows its types without it",
  async ([language, block]) => {
    const fence = (text: string) => `\`\`\`${language}\n${text}\n\`\`\``;
    await expect(render(fence(block))).rejects.toThrow("2322");
    expect(await render(fence(block.replace('"one"', "1")))).toContain("twoslash-hover");
  },
);
