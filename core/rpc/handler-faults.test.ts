import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { BonevalueError } from "../errors.ts";
import { defineModule } from "./module.ts";
import { all, code, createLinkedPair } from "./streams/testing/linked-pair.ts";

/** A bug of the page that offers the module. */
const bug = new TypeError("undefined is not a function");

const handlers: readonly (readonly [title: string, handler: () => unknown])[] = [
  [
    "that throws",
    () => {
      throw bug;
    },
  ],
  ["that rejects", () => Promise.reject(bug)],
  [
    "whose stream throws",
    async function* () {
      yield 1;
      throw bug;
    },
  ],
];

describe.each(handlers)("a handler %s because of a bug", (_, handler) => {
  test("is an `error` event of its own page, with the original error and its stack", async () => {
    const { ann, bob, until } = createLinkedPair();
    bob.module("Fail", handler);
    const read = ann
      .call("Fail")
      .first()
      .then((items) => all(items));
    await expect(until(read)).rejects.toMatchObject({ code: "handler-failed", message: bug.message });
    expect(bob.errors).toEqual([code("handler-failed")]);
    expect(bob.errors[0]?.cause).toBe(bug);
    expect(ann.errors).toEqual([]);
  });
});

test("the caller gets neither the cause nor the stack", async () => {
  const { ann, bob, until } = createLinkedPair();
  bob.module("Fail", () => {
    throw bug;
  });
  const error = await until(
    ann
      .call("Fail")
      .first()
      .catch((error: BonevalueError) => error),
  );
  expect(error).not.toHaveProperty("cause");
  expect(error.data).toBeUndefined();
});

test("a handler that throws a BonevalueError has done so on purpose, and only its caller learns of it", async () => {
  const { ann, bob, until } = createLinkedPair();
  bob.module("Fail", () => {
    throw new BonevalueError("forbidden", "Not you.");
  });
  bob.module("FailLater", async function* () {
    yield 1;
    throw new BonevalueError("forbidden", "Not you.");
  });
  await expect(until(ann.call("Fail").first())).rejects.toEqual(code("forbidden"));
  await expect(until(all(await until(ann.call("FailLater").first())))).rejects.toEqual(code("forbidden"));
  expect(bob.errors).toEqual([]);
});

test("an answer and an item that cannot be sent are `error` events of their own page", async () => {
  const { ann, bob, until } = createLinkedPair();
  bob.module("Answer", () => Symbol("unsendable"));
  bob.module("Items", async function* () {
    yield Symbol("unsendable");
  });
  await expect(until(ann.call("Answer").first())).rejects.toEqual(code("invalid-response"));
  await expect(until(all(await until(ann.call("Items").first())))).rejects.toEqual(code("invalid-response"));
  expect(bob.errors).toEqual([code("invalid-response"), code("invalid-response")]);
});

test("a source that throws while a request is sent is an `error` event of the sender", async () => {
  const { ann, bob, clock } = createLinkedPair();
  bob.module("Read", async ({ request }) => {
    await all(request).catch(() => {});
  });
  const failing = async function* () {
    yield 1;
    throw bug;
  };
  ann.notify("Read", failing());
  await clock.advance(100);
  expect(ann.errors.map(({ cause }) => cause)).toEqual([bug]);
});

describe("a request that breaks the contract", () => {
  test("is an `error` event of the page that offers the module, at most once a second", async () => {
    const { ann, bob, clock } = createLinkedPair();
    bob.module(defineModule("Typed", { request: v.string() }), () => "fine");
    const calls = Array.from({ length: 5 }, (_, index) => ann.call("Typed", index).all());
    await clock.advance(100);
    expect((await Promise.all(calls)).map(([reply]) => reply?.error?.code)).toEqual(Array(5).fill("invalid-request"));
    expect(bob.errors).toEqual([code("invalid-request")]);
    expect(bob.errors[0]?.message).toContain('"Typed"');
    await clock.advance(2_000);
    expect(bob.errors).toHaveLength(2);
    expect(bob.errors[1]?.message).toContain("4 requests");
  });

  test("is reported with those of the same second when the link ends", async () => {
    const { ann, bob, clock, cut } = createLinkedPair();
    bob.module(defineModule("Typed", { request: v.string() }), () => "fine");
    for (const request of [1, 2, 3]) ann.call("Typed", request);
    await clock.advance(100);
    cut();
    expect(bob.errors.map(({ message }) => /Refused (a|\d+) requests?/.exec(message)?.[1])).toEqual(["a", "2"]);
  });

  test("where the schema itself throws, with that error as its cause", async () => {
    const { ann, bob, until } = createLinkedPair();
    const schema = v.pipe(
      v.string(),
      v.transform(() => {
        throw bug;
      }),
    );
    bob.module(defineModule("Typed", { request: schema }), () => "fine");
    await expect(until(ann.call("Typed", "text").first())).rejects.toEqual(code("invalid-request"));
    expect(bob.errors[0]?.cause).toBe(bug);
  });
});
