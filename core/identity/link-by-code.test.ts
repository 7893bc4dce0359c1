import { afterEach, expect, test, vi } from "vitest";
import { BonevalueError, type ErrorCode } from "../errors.ts";
import type { Identity } from "./identify.ts";
import { linkByCode } from "./link-by-code.ts";
import { claim, recordOf } from "./testing/records.ts";

afterEach(() => void vi.useRealTimers());

interface Options {
  readonly devices?: readonly string[];
  /** Runs before each change of the record. */
  readonly write?: () => Promise<void>;
  /** Resolves when apps know the present record. */
  readonly published?: Promise<void>;
}

/** Enters a code while some devices of the user, and a friend, are online. The dials end as the test says. */
async function enterCode({ devices = ["phone"], write, published }: Options = {}) {
  let record = { ...recordOf(), claims: [claim] };
  let peers = [...devices.map((id) => ({ id, name: "Us" })), { id: "friend", name: "Bob" }];
  let isStopped = false;
  const dials: { readonly id: string; open(): void; fail(code: ErrorCode): void }[] = [];
  const ended: string[] = [];
  const watchers = new Set<() => void>();
  const identity = {
    client: {
      peers: () => peers,
      dial(id: string) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        dials.push({ id, open: resolve, fail: (code) => reject(new BonevalueError(code, "The dial has failed.")) });
        return promise;
      },
    },
    links: {
      end(filter: (alias: string) => boolean, { message }: Error) {
        if (filter("Us") && !filter("Bob")) ended.push(message);
      },
    },
    watchers,
    published,
    async apply(change: (known: typeof record) => typeof record) {
      await write?.();
      record = change(record);
    },
    get record() {
      return record;
    },
    get isStopped() {
      return isStopped;
    },
  } as unknown as Identity;
  const outcome: string[] = [];
  const result = linkByCode(identity, { secret: new Uint8Array(16), binding: new Uint8Array(8) }).then(
    () => "linked",
    (error: BonevalueError) => error.code,
  );
  result.then((end) => outcome.push(end));
  const settle = async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  await settle();
  const watch = () => {
    for (const watcher of [...watchers]) watcher();
  };
  return {
    result,
    outcome,
    dials,
    ended,
    watch,
    settle,
    isWatching: () => watchers.size > 0,
    claims: () => record.claims,
    hasClaim: () => record.claims.some(({ alias }) => alias === "Us"),
    setPeers(...ids: string[]) {
      peers = ids.map((id) => ({ id, name: "Us" }));
    },
    /** This device joins the account, or the other one does. */
    join() {
      record = { ...record, claims: [claim] };
      watch();
    },
    signOut() {
      isStopped = true;
      watch();
    },
  };
}

test("each device of the user is dialed once, after the links to them have ended, and nobody else is", async () => {
  const { dials, ended, watch, setPeers, result, join } = await enterCode({ devices: ["phone", "tablet"] });
  expect(ended).toHaveLength(1);
  watch();
  expect(dials.map(({ id }) => id)).toEqual(["phone", "tablet"]);
  setPeers("phone", "tablet", "laptop");
  watch();
  expect(dials.map(({ id }) => id)).toEqual(["phone", "tablet", "laptop"]);
  join();
  expect(await result).toBe("linked");
});

test("a device that did not link at the first dial is dialed a second time, and not a third time", async () => {
  const { dials, ended, settle, outcome } = await enterCode();
  dials[0]!.open();
  await settle();
  expect(dials.map(({ id }) => id)).toEqual(["phone", "phone"]);
  expect(ended).toHaveLength(2);
  dials[1]!.open();
  await settle();
  expect(dials).toHaveLength(2);
  expect(outcome).toEqual([]);
});

test("a device that is linked by the first dial is not dialed again", async () => {
  const { dials, ended, settle, join, result } = await enterCode();
  join();
  dials[0]!.open();
  await settle();
  expect(await result).toBe("linked");
  expect(dials).toHaveLength(1);
  expect(ended).toHaveLength(1);
});

test("once all devices that are online have refused the code, the linking fails", async () => {
  const { dials, settle, outcome, result, hasClaim } = await enterCode({ devices: ["phone", "tablet"] });
  dials[0]!.fail("identity-mismatch");
  await settle();
  expect(outcome).toEqual([]);
  dials[1]!.fail("identity-mismatch");
  expect(await result).toBe("identity-mismatch");
  expect(hasClaim()).toBe(false);
});

test("the only device that is online ends the linking by refusing the code", async () => {
  const { dials, result } = await enterCode();
  dials[0]!.fail("identity-mismatch");
  expect(await result).toBe("identity-mismatch");
});

test("the code waits for an answer, and is stored before a device is dialed", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { claims, dials, ended, settle } = await enterCode({ write: () => promise });
  expect([claims(), dials, ended]).toEqual([[claim], [], []]);
  resolve();
  await settle();
  expect(claims()).toMatchObject([claim, { alias: "Us", answered: false }]);
  expect(dials).toHaveLength(1);
});

test("the linking ends once apps know of it", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { join, settle, outcome, result } = await enterCode({ published: promise });
  join();
  await settle();
  expect(outcome).toEqual([]);
  resolve();
  expect(await result).toBe("linked");
});

test("the linking fails once the code is no longer stored", async () => {
  const failure = new BonevalueError("unsupported", "The disk is full.");
  const write = vi.fn(async () => {});
  const { dials, result } = await enterCode({ write });
  write.mockRejectedValue(failure);
  dials[0]!.fail("identity-mismatch");
  expect(await result).toBe("unsupported");
});

test.for([[["phone"]], [[]]] as const)("a failed dial is no refusal, with %j online", async ([online]) => {
  const { dials, settle, outcome, setPeers, join, result } = await enterCode();
  setPeers(...online);
  dials[0]!.fail(online.length > 0 ? "link-failed" : "identity-mismatch");
  await settle();
  expect(outcome).toEqual([]);
  join();
  expect(await result).toBe("linked");
});

test("a sign-out ends the linking with cancelled, and no device is dialed afterwards", async () => {
  const { dials, settle, signOut, result } = await enterCode();
  signOut();
  expect(await result).toBe("cancelled");
  dials[0]!.open();
  await settle();
  expect(dials).toHaveLength(1);
});

test("a device that does not come online within 15 s ends the linking with timeout, and the code is forgotten", async () => {
  vi.useFakeTimers();
  const { result, outcome, hasClaim } = await enterCode({ devices: [] });
  await vi.advanceTimersByTimeAsync(14_999);
  expect(outcome).toEqual([]);
  expect(hasClaim()).toBe(true);
  await vi.advanceTimersByTimeAsync(1);
  expect(await result).toBe("timeout");
  expect(hasClaim()).toBe(false);
});

test("a device that is linked waits for nothing any more", async () => {
  vi.useFakeTimers();
  const { result, isWatching, join } = await enterCode();
  expect([isWatching(), vi.getTimerCount()]).toEqual([true, 1]);
  join();
  expect(await result).toBe("linked");
  expect([isWatching(), vi.getTimerCount()]).toEqual([false, 0]);
});
