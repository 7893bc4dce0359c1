import * as v from "valibot";
import { expect, test } from "vitest";
import { BonevalueError } from "../errors.ts";
import { createNetwork } from "../testing/network.ts";
import { defineModule } from "./module.ts";
import { code, createLinkedPair } from "./streams/testing/linked-pair.ts";

async function pair() {
  const network = createNetwork();
  const [ann, bob] = [network.client("ann"), network.client("bob")];
  await ann.connect("test", "ann", "");
  await bob.connect("test", "bob", "");
  return { ann, bob };
}

test("the error of a request with very many or very long issues is short, and the link stays open", async () => {
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

test("a module name that is too long for a frame is refused, and the longest name works with the largest value", async () => {
  const { ann, bob } = await pair();
  const name = "\u20ac".repeat(1_024);
  bob.module(name, ({ request }) => request.length);
  const largest = "x".repeat(8 * 1_024 * 1_024 - 5);
  expect(await ann.get("bob").call(name, largest).first()).toBe(largest.length);
  const tooLong = expect.objectContaining({ code: "unknown-module" });
  expect(() => defineModule(`${name}.`)).toThrow(tooLong);
  expect(() => ann.get("bob").call(`${name}.`, largest)).toThrow(tooLong);
});

test("an issue's path and message are truncated, whatever the value repeats in them", async () => {
  const { ann, bob } = await pair();
  bob.module(defineModule("Lists", { request: v.record(v.string(), v.array(v.literal("a"))) }), () => "fine");
  const long = "long ".repeat(1_200_000);
  const [reply] = await ann
    .get("bob")
    .call("Lists", { [long]: ["b".repeat(1_000_000), ...Array(200).fill(1)] })
    .all();
  expect(reply?.error).toMatchObject({ code: "invalid-request", message: expect.stringContaining("does not fit") });
  const issues = reply?.error?.data as readonly { message: string; path: readonly [string, number] }[];
  expect(issues).toHaveLength(100);
  expect(issues[0]?.message).toHaveLength(1_024);
  expect(issues[99]?.path).toEqual([long.slice(0, 256), 99]);
});

test("the data of a handler's error is omitted if it exceeds the caller's limit, and the link stays open", async () => {
  const network = createNetwork();
  const [ann, bob] = [network.client("ann", { limits: { messageSize: 10_000 } }), network.client("bob")];
  await ann.connect("test", "ann", "");
  await bob.connect("test", "bob", "");
  bob.module("Fail", () => {
    throw new BonevalueError("busy", "later", { data: "long ".repeat(10_000) });
  });
  for (let time = 0; time < 2; time++) {
    const [reply] = await ann.get("bob").call("Fail").all();
    expect(reply?.error).toMatchObject({ code: "busy", message: "later", data: undefined });
  }
});

test("a schema that never resolves delays later calls only until its own call ends", async () => {
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
  await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject({ code: "timeout" })));
  await later;
  expect(handled).toEqual(["three"]);
});

test("a message whose schema never resolves delays later ones for 30 s, and is an `error` event", async () => {
  const { ann, bob, clock } = createLinkedPair();
  const check = Promise.withResolvers<boolean>();
  const checked = v.pipeAsync(
    v.string(),
    v.checkAsync((text) => text !== "stuck" || check.promise),
  );
  const handled: string[] = [];
  bob.module(defineModule("Note", { request: checked }), ({ request }) => void handled.push(request));
  ann.notify("Note", "stuck");
  ann.notify("Note", "behind");
  await clock.advance(29_900);
  expect([handled, bob.errors]).toEqual([[], []]);
  await clock.advance(200);
  expect(handled).toEqual(["behind"]);
  expect(bob.errors).toEqual([code("timeout")]);
  check.resolve(true);
  await clock.advance(60_000);
  expect([handled, bob.errors.length, clock.waiting]).toEqual([["behind"], 1, 0]);
});

test("a request whose getter throws fails with `invalid-request`, not `handler-failed`", async () => {
  const { ann } = await pair();
  const moody = {
    get text() {
      throw new Error("not now");
    },
  };
  const error = { code: "invalid-request", message: "not now" };
  await expect(ann.get("bob").call("Any", moody).first()).rejects.toMatchObject(error);
  const reported = new Promise((resolve) => ann.on("error", resolve));
  ann.get("bob").message("Any", moody);
  expect(await reported).toMatchObject(error);
});
