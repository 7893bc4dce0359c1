import { afterEach, expect, test, vi } from "vitest";
import { BonevalueError } from "../errors.ts";
import type { SignedIn } from "./identify.ts";
import { linkByCode } from "./link-by-code.ts";
import { recordOf } from "./testing/records.ts";

afterEach(() => void vi.useRealTimers());

/** Enters a code while one device of the user is online, and is being dialed. */
async function enterCode() {
  let record = recordOf();
  let peers: readonly object[] = [{ id: "phone", name: "Us" }];
  let isStopped = false;
  const { promise: dialed, resolve: dial } = Promise.withResolvers<void>();
  const { promise: link, reject: failDial } = Promise.withResolvers<void>();
  const watchers = new Set<() => void>();
  const signedIn = {
    client: {
      peers: () => peers,
      dial() {
        dial();
        return link;
      },
    },
    links: { end() {} },
    watchers,
    async apply(change: (known: typeof record) => typeof record) {
      record = change(record);
    },
    get record() {
      return record;
    },
    get isStopped() {
      return isStopped;
    },
  } as unknown as SignedIn;
  const result = linkByCode(signedIn, { secret: new Uint8Array(16), binding: new Uint8Array(8) }).then(
    () => "linked",
    (error: BonevalueError) => error.code,
  );
  await dialed;
  const watch = () => {
    for (const watcher of [...watchers]) watcher();
  };
  return {
    result,
    hasClaim: () => record.claims.length > 0,
    leave() {
      peers = [];
      failDial(new BonevalueError("disconnected", "The peer has gone."));
    },
    join() {
      record = { ...record, claims: [] };
      watch();
    },
    signOut() {
      isStopped = true;
      watch();
    },
  };
}

test("a linking code waits for a device that goes offline while it is dialed", async () => {
  const { result, leave, join } = await enterCode();
  leave();
  await new Promise(setImmediate);
  join();
  expect(await result).toBe("linked");
});

test("a sign-out ends the linking with cancelled", async () => {
  const { result, signOut } = await enterCode();
  signOut();
  expect(await result).toBe("cancelled");
});

test("a device that does not come online within 15 s ends the linking with timeout, and the code is forgotten", async () => {
  vi.useFakeTimers();
  const { result, hasClaim, leave } = await enterCode();
  leave();
  await vi.advanceTimersByTimeAsync(14_999);
  expect(hasClaim()).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  expect(await result).toBe("timeout");
  expect(hasClaim()).toBe(false);
});
