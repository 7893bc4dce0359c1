import { afterEach, describe, expect, test, vi } from "vitest";
import { BonevalueError } from "../errors.ts";
import { all, code, createLinkedPair, type LinkedPair } from "./streams/testing/linked-pair.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

const rare = Float32Array.of(1.5);

/** From now on this runtime lacks the type of `rare`. */
function forget(): void {
  vi.stubGlobal("Float32Array", undefined);
}

/** Expects that the link is open and idle, and that calls work. */
async function expectNothingLost({ ann, bob, clock, until }: LinkedPair): Promise<void> {
  await clock.advance(5);
  expect([ann.ended, bob.ended, ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([undefined, undefined, true, true]);
  expect(await until(ann.call("Echo", "still here").first())).toBe("still here");
}

function echoing(): LinkedPair {
  const pair = createLinkedPair();
  pair.bob.module("Echo", ({ request }) => request);
  return pair;
}

describe("a value of a type that the receiver's runtime lacks", () => {
  test("in a request fails the call and the streams beside it", async () => {
    const pair = echoing();
    const beside = pair.source();
    const call = pair.ann.call("Echo", [rare, beside.items()]).first();
    forget();
    await expect(pair.until(call)).rejects.toEqual(code("unsupported"));
    await expectNothingLost(pair);
  });

  test("in an answer fails the call and the streams beside it", async () => {
    const pair = echoing();
    const beside = pair.source();
    pair.bob.module("Rare", () => {
      queueMicrotask(forget);
      return [rare, beside.items()];
    });
    await expect(pair.until(pair.ann.call("Rare").first())).rejects.toEqual(code("unsupported"));
    await expectNothingLost(pair);
  });

  test("in a message is refused, and the sender learns why", async () => {
    const pair = echoing();
    const handled = vi.fn();
    pair.bob.module("Save", handled);
    pair.ann.notify("Save", rare);
    forget();
    await expectNothingLost(pair);
    expect(handled).not.toHaveBeenCalled();
    expect(pair.ann.errors).toEqual([code("unsupported")]);
  });

  test("in an error's data is omitted", async () => {
    const pair = echoing();
    pair.bob.module("Fail", () => {
      queueMicrotask(forget);
      throw new BonevalueError("busy", "later", { data: rare });
    });
    const failure = await pair.until(
      pair.ann
        .call("Fail")
        .first()
        .catch((error: unknown) => error),
    );
    expect(failure).toMatchObject({ code: "busy", message: "later", data: undefined });
    await expectNothingLost(pair);
  });

  test("in an item ends the stream", async () => {
    const pair = echoing();
    pair.bob.module("Items", async function* () {
      yield 1;
      yield rare;
      forget();
      yield 3;
    });
    const items = await pair.until(pair.ann.call("Items").first());
    await expect(pair.until(all(items))).rejects.toEqual(code("unsupported"));
    await expectNothingLost(pair);
  });
});
