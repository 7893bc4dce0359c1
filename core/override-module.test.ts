import { expect, test } from "vitest";
import { overrideModule } from "./override-module.ts";
import { createNetwork } from "./testing/network.ts";

/** Ann, and a function that returns what Bob gets when he calls "Who" on her, or the error code. */
async function annAndBob() {
  const network = createNetwork();
  const [ann, bob] = [network.client("ann"), network.client("bob")];
  for (const [client, name] of [
    [ann, "ann"],
    [bob, "bob"],
  ] as const)
    await client.connect("test", name, "");
  const who = () =>
    bob
      .get("ann")
      .call("Who")
      .first()
      .catch((error) => error.code);
  return { ann, who };
}

test("the latest handler answers, and its undo restores the one before", async () => {
  const { ann, who } = await annAndBob();
  const [first, second, third] = ["first", "second", "third"].map((name) => overrideModule(ann, "Who", () => name));
  expect(await who()).toBe("third");
  second?.();
  expect(await who()).toBe("third");
  third?.();
  third?.();
  expect(await who()).toBe("first");
  first?.();
  expect(await who()).toBe("unknown-module");
});

test("each handler has its own allow", async () => {
  const { ann, who } = await annAndBob();
  overrideModule(ann, "Who", () => "first", { allow: "bob" });
  const undo = overrideModule(ann, "Who", () => "second", { allow: "Us" });
  expect(await who()).toBe("forbidden");
  undo();
  expect(await who()).toBe("first");
});

test("a module that cannot be offered leaves the one before in place", async () => {
  const { ann, who } = await annAndBob();
  overrideModule(ann, "Who", () => "first");
  const noHandler: any = "second";
  expect(() => overrideModule(ann, "Who", noHandler)).toThrow(expect.objectContaining({ code: "invalid-request" }));
  expect(await who()).toBe("first");
});

test("a name that client.module has offered is taken, and the other way round", async () => {
  const { ann, who } = await annAndBob();
  const taken = expect.objectContaining({ code: "module-taken" });
  const undo = ann.module("Who", () => "itself");
  expect(() => overrideModule(ann, "Who", () => "over")).toThrow(taken);
  expect(await who()).toBe("itself");
  undo();
  overrideModule(ann, "Who", () => "over");
  expect(() => ann.module("Who", () => "itself")).toThrow(taken);
});
