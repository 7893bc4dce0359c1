import { afterEach, describe, expect, test, vi } from "vitest";
import { BonevalueError } from "../errors.ts";
import { all, code, createLinkedPair, type LinkedPair } from "./streams/testing/linked-pair.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

const rare = Float32Array.of(1.5);

/** From now on whoever receives does not know the kind of `rare`. */
function forget(): void {
  vi.stubGlobal("Float32Array", undefined);
}

/** The link has survived, and holds nothing of what failed on it. */
async function expectNothingLost({ ann, bob, clock, until }: LinkedPair): Promise<void> {
  await clock.advance(5);
  expect([ann.ended, bob.ended, ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([undefined, undefined, true, true]);
  expect(await until(ann.call("Echo", "still here").first())).toBe("still here");
}

function echoing(): LinkedPair {
  const staged = createLinkedPair();
  staged.bob.module("Echo", ({ request }) => request);
  return staged;
}

describe("a value of a kind that its receiver's runtime lacks", () => {
  test("fails the call that it is the request of, with the streams beside it", async () => {
    const staged = echoing();
    const beside = staged.source();
    const call = staged.ann.call("Echo", [rare, beside.items()]).first();
    forget();
    await expect(staged.until(call)).rejects.toEqual(code("unsupported"));
    await expectNothingLost(staged);
  });

  test("fails the call that it is the answer of, with the streams beside it", async () => {
    const staged = echoing();
    const beside = staged.source();
    staged.bob.module("Rare", () => {
      queueMicrotask(forget);
      return [rare, beside.items()];
    });
    await expect(staged.until(staged.ann.call("Rare").first())).rejects.toEqual(code("unsupported"));
    await expectNothingLost(staged);
  });

  test("is dropped where it is a message", async () => {
    const staged = echoing();
    const told = vi.fn();
    staged.bob.module("Told", told);
    staged.ann.notify("Told", rare);
    forget();
    await expectNothingLost(staged);
    expect(told).not.toHaveBeenCalled();
  });

  test("is left out of the error that it is the data of", async () => {
    const staged = echoing();
    staged.bob.module("Fail", () => {
      queueMicrotask(forget);
      throw new BonevalueError("busy", "later", { data: rare });
    });
    const failure = await staged.until(
      staged.ann
        .call("Fail")
        .first()
        .catch((error: unknown) => error),
    );
    expect(failure).toMatchObject({ code: "busy", message: "later", data: undefined });
    await expectNothingLost(staged);
  });

  test("ends the stream that it is an item of", async () => {
    const staged = echoing();
    staged.bob.module("Items", async function* () {
      yield 1;
      yield rare;
      forget();
      yield 3;
    });
    const items = await staged.until(staged.ann.call("Items").first());
    await expect(staged.until(all(items))).rejects.toEqual(code("unsupported"));
    await expectNothingLost(staged);
  });
});
