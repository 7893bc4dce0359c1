import * as v from "valibot";
import { expect, test } from "vitest";
import { BonevalueError } from "../errors.ts";
import { createNetwork } from "../testing/network.ts";
import { defineModule } from "./module.ts";

async function pair() {
  const network = createNetwork();
  const [ann, bob] = [network.client("ann"), network.client("bob")];
  await ann.connect("test", "ann", "");
  await bob.connect("test", "bob", "");
  return { ann, bob };
}

test("a request that is wrong in very many places, or at great length, is refused in few words, and the link goes on", async () => {
  const { ann, bob } = await pair();
  bob.module(defineModule("Join", { request: v.array(v.string()) }), ({ request }) => request.join());
  bob.module(defineModule("Add", { request: v.number() }), ({ request }) => request + 1);
  bob.module("Fail", ({ request }) => {
    throw new BonevalueError("busy", request);
  });
  const long = "long ".repeat(1_500_000);
  const refused = await Promise.all([
    ann.get("bob").call("Join", Array(300_000).fill(1)).all(),
    ann.get("bob").call("Add", long).all(),
    ann.get("bob").call("Fail", long).all(),
  ]);
  const errors = refused.map(([reply]) => reply?.error);
  expect(errors.map((error) => error?.code)).toEqual(["invalid-request", "invalid-request", "busy"]);
  expect(errors.map((error) => error?.message.length)).toEqual([1_024, 1_024, 1_024]);
  expect(errors[0]?.data).toHaveLength(100);
  expect(await ann.get("bob").call("Join", ["still", "here"]).first()).toBe("still,here");
});

test("a schema that never answers holds up later calls no longer than its own", async () => {
  const { ann, bob } = await pair();
  const stuck = v.pipeAsync(
    v.string(),
    v.checkAsync(() => new Promise<boolean>(() => {})),
  );
  const handled: unknown[] = [];
  bob.module(defineModule("Stuck", { request: stuck }), ({ request }) => void handled.push(request));
  bob.module("Note", ({ request }) => handled.push(request));
  const calls = ["one", "two"].map((text) => ann.get("bob").call("Stuck", text, { timeout: 20 }).first());
  const later = ann.get("bob").call("Note", "three").first();
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: "timeout" });
  await later;
  expect(handled).toEqual(["three"]);
});

test("a request that fails while it is read is the caller's fault, not a handler's", async () => {
  const { ann } = await pair();
  const moody = {
    get text() {
      throw new Error("not now");
    },
  };
  const error = { code: "invalid-request", message: "not now" };
  await expect(ann.get("bob").call("Any", moody).first()).rejects.toMatchObject(error);
  const told = new Promise((resolve) => ann.on("error", resolve));
  ann.get("bob").message("Any", moody);
  expect(await told).toMatchObject(error);
});
