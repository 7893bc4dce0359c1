import { existsSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { createDevelopmentServer } from "./development.ts";

test("a store that is given as undefined is in memory, so that known passwords get into no file", async () => {
  const server = await createDevelopmentServer({ port: 0, store: undefined });
  onTestFinished(() => server.close());
  expect(await server.accounts.list()).toEqual(["ann", "bob"]);
  expect(existsSync("bonevalue.db")).toBe(false);
});
