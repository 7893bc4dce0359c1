import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { BonevalueError } from "../errors.ts";
import type { OpenRelay } from "../relay-access.ts";
import { createVirtualClock } from "../testing/virtual-clock.ts";
import { createLifetime } from "./lifetime.ts";
import { createKeyAgreement } from "./relay/key-agreement.ts";
import { createFakeRelay, type FakeRelay } from "./relay/testing/fake-relay.ts";
import { createRelayFallback, type DirectEvents, type StartFallback } from "./relay-fallback.ts";
import type { Link, SignalExchange } from "./transport.ts";

const noPath = new BonevalueError("link-failed", "No path.");

/** One side of an attempt. The test is its direct connection. */
function createSide(role: "caller" | "callee", start: StartFallback, fake: FakeRelay) {
  let opened = 0;
  const relay = {
    ...fake[role],
    open(...attempt: Parameters<OpenRelay>) {
      opened++;
      return fake[role].open(...attempt);
    },
  };
  const state = { isPromising: false, usesRelay: false, settled: 0 };
  const lifetime = createLifetime(() => {});
  const exchange = { settled: () => state.settled++, relay } as Partial<SignalExchange> as SignalExchange;
  const direct: DirectEvents = { ...lifetime };
  const link = {} as Link;
  start({
    ...{ peer: "peer", role, exchange, lifetime, direct, link },
    connection: () => ({
      pc: { iceConnectionState: state.isPromising ? "connected" : "checking", getConfiguration: () => ({}) } as never,
      negotiation: { trouble: () => "No path yet." },
      release: () => (state.usesRelay = true),
    }),
  });
  return {
    state,
    lifetime,
    direct,
    link,
    /** How often it has asked for the relay. */
    get opened() {
      return opened;
    },
  };
}

function createPair(start?: StartFallback) {
  const clock = createVirtualClock();
  const startFallback = start ?? createRelayFallback(clock);
  const fake = createFakeRelay();
  return {
    clock,
    startFallback,
    fake,
    caller: createSide("caller", startFallback, fake),
    callee: createSide("callee", startFallback, fake),
  };
}

type Pair = ReturnType<typeof createPair>;

async function bothUseRelay({ caller, callee }: Pair): Promise<void> {
  await Promise.all([caller.lifetime.opened, callee.lifetime.opened]);
  for (const { state } of [caller, callee]) expect(state).toMatchObject({ usesRelay: true, settled: 1 });
}

/** ICE has no path in time, but may still find one. */
async function whilePromising(caller: ReturnType<typeof createSide>): Promise<void> {
  caller.state.isPromising = true;
  caller.direct.onLate!();
  await settle();
}

/** Lets what is loaded and computed meanwhile take effect. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 50));

// Loading it takes longer than `settle` waits.
beforeAll(() => import("./relay/relay.ts"));

describe("a link without a direct path", () => {
  test("goes through the relay when ICE has found no path in time", async () => {
    const pair = createPair();
    const { clock, caller } = pair;
    await clock.advance(60_000);
    await settle();
    expect(caller.opened).toBe(0);
    caller.direct.onLate!();
    await bothUseRelay(pair);
  });

  test("goes through the relay at once when ICE has failed", async () => {
    const pair = createPair();
    pair.caller.direct.end(noPath);
    await bothUseRelay(pair);
  });

  test("goes through the relay 4 s later while there is a path, or a TURN server may make one", async () => {
    const pair = createPair();
    const { clock, caller } = pair;
    await whilePromising(caller);
    await clock.advance(3_999);
    await settle();
    expect([caller.opened, caller.link.trouble!()]).toEqual([0, "No path yet."]);
    await clock.advance(1);
    await bothUseRelay(pair);
  });

  test("goes through the relay at once when ICE fails while there seemed to be a path", async () => {
    const pair = createPair();
    await whilePromising(pair.caller);
    pair.caller.direct.end(noPath);
    await bothUseRelay(pair);
  });

  test("waits for the caller when ICE has failed at the callee", async () => {
    const pair = createPair();
    pair.callee.direct.end(noPath);
    await settle();
    expect([pair.callee.lifetime.status, pair.callee.opened]).toEqual(["opening", 0]);
    pair.caller.direct.end(noPath);
    await bothUseRelay(pair);
  });

  test("ends with both reasons when the relay fails, too", async () => {
    const fake = createFakeRelay();
    const open = () => Promise.reject(new BonevalueError("busy", "Too many relays."));
    const caller = createSide("caller", createRelayFallback(createVirtualClock()), {
      ...fake,
      caller: { ...fake.caller, open },
    });
    caller.direct.end(noPath);
    expect(await caller.lifetime.closed).toMatchObject({
      code: "link-failed",
      message: "No path. The relay failed, too: Too many relays.",
    });
  });
});

describe("a link with a direct path", () => {
  test("does not use the relay, and leaves no timer", async () => {
    const { clock, caller, callee } = createPair();
    for (const { direct } of [caller, callee]) direct.open();
    caller.direct.onLate!();
    await clock.advance(60_000);
    await settle();
    for (const { lifetime, state, opened } of [caller, callee])
      expect([lifetime.status, state.usesRelay, opened]).toEqual(["open", false, 0]);
    caller.lifetime.end();
    await settle();
    expect(clock.waiting).toBe(0);
  });

  test("does not use the relay when it opens late, and leaves no timer", async () => {
    const { clock, caller } = createPair();
    await whilePromising(caller);
    caller.direct.open();
    await settle();
    expect([caller.lifetime.status, caller.state.usesRelay, caller.opened, clock.waiting]).toEqual([
      "open",
      false,
      0,
      0,
    ]);
  });

  test("that breaks late ends with its reason, since another dial may succeed", async () => {
    const { clock, caller } = createPair();
    await whilePromising(caller);
    caller.direct.end(new BonevalueError("disconnected", "The handshake failed."));
    expect((await caller.lifetime.closed)?.code).toBe("disconnected");
    await settle();
    expect([caller.opened, clock.waiting]).toEqual([0, 0]);
  });

  test.for(["disconnected", "protocol", "busy"] as const)("does not use the relay after %s", async (code) => {
    const { caller } = createPair();
    caller.direct.end(new BonevalueError(code, "An error."));
    expect((await caller.lifetime.closed)?.code).toBe(code);
    expect(caller.opened).toBe(0);
  });

  test("that opens before the relay opens no socket", async () => {
    const fake = createFakeRelay();
    const { promise: answer, resolve: onAnswer } = Promise.withResolvers<void>();
    const open: OpenRelay = (...attempt) => answer.then(() => fake.caller.open(...attempt));
    const caller = createSide("caller", createRelayFallback(createVirtualClock()), {
      ...fake,
      caller: { ...fake.caller, open },
    });
    caller.direct.end(noPath);
    await expect.poll(() => caller.opened).toBe(1);
    // ICE has recovered.
    caller.direct.open();
    expect(caller.lifetime.status).toBe("open");
    onAnswer();
    await settle();
    expect([fake.open.size, caller.state.usesRelay]).toEqual([0, false]);
  });
});

test("a direct link that opens while the relay is loading stays, whatever becomes of the relay", async () => {
  const { caller, fake } = createPair();
  caller.direct.end(noPath);
  caller.direct.open();
  await settle();
  fake.cut();
  await settle();
  expect([caller.lifetime.status, caller.opened, caller.state.usesRelay]).toEqual(["open", 0, false]);
});

/** Until the returned function is called, the script of the relay cannot be loaded. */
function blockScript(): () => void {
  vi.doMock("./relay/relay.ts", () => {
    throw new Error("The script was not found.");
  });
  const unblock = () => void vi.doUnmock("./relay/relay.ts");
  onTestFinished(unblock);
  return unblock;
}

describe("while the relay cannot be loaded", () => {
  test("a link without a direct path fails, and says that a script is missing", async () => {
    blockScript();
    const { caller } = createPair();
    caller.direct.end(noPath);
    expect(await caller.lifetime.closed).toMatchObject({ message: expect.stringContaining("has not loaded") });
  });

  test("a direct link that opens after all stays", async () => {
    blockScript();
    const { caller } = createPair();
    caller.direct.end(noPath);
    caller.direct.open();
    await settle();
    expect(caller.lifetime.status).toBe("open");
  });

  test("ICE goes on, and its failure loads the relay again", async () => {
    const unblock = blockScript();
    const pair = createPair();
    pair.caller.direct.onLate!();
    await settle();
    expect(pair.caller.link.trouble!()).toContain("has not loaded");
    unblock();
    pair.caller.direct.end(noPath);
    await bothUseRelay(pair);
  });

  test("a callee keeps the offer until ICE fails, which loads the relay again", async () => {
    const unblock = blockScript();
    const fake = createFakeRelay();
    const callee = createSide("callee", createRelayFallback(createVirtualClock()), fake);
    fake.caller.describe((await createKeyAgreement("caller")).description);
    await expect.poll(() => callee.link.trouble?.()).toContain("has not loaded");
    unblock();
    callee.direct.end(noPath);
    await expect.poll(() => callee.opened).toBe(1);
    callee.lifetime.end();
  });
});

/** A callee that has offered the relay, and whose caller has not opened it. */
async function offered() {
  const fake = createFakeRelay();
  const callee = createSide("callee", createRelayFallback(createVirtualClock()), fake);
  fake.caller.describe((await createKeyAgreement("caller")).description);
  await expect.poll(() => fake.open.size).toBe(1);
  await settle();
  return { callee, fake };
}

describe("a callee that has offered the relay and finds a direct path", () => {
  test("uses the direct one when the caller does", async () => {
    const { callee, fake } = await offered();
    callee.direct.open();
    await settle();
    expect(callee.lifetime.status).toBe("opening");
    callee.direct.notify((listener) => listener.message("control", new Uint8Array(1)), 1);
    expect(callee.lifetime.status).toBe("open");
    await expect.poll(() => fake.open.size).toBe(0);
    callee.direct.notify((listener) => listener.message("control", new Uint8Array(1)), 1);
    // The description for the relay is not repeated. Later, `settled` would end the repeats of an ICE restart.
    expect(callee.state).toMatchObject({ usesRelay: false, settled: 1 });
  });

  test("uses the direct one when the relay's socket closes", async () => {
    const { callee, fake } = await offered();
    callee.direct.open();
    fake.cut();
    await callee.lifetime.opened;
    expect(callee.state.usesRelay).toBe(false);
  });

  test("uses the relay when the caller does, which closes the direct one", async () => {
    const pair = createPair();
    pair.caller.direct.end(noPath);
    await expect.poll(() => pair.callee.opened).toBe(1);
    await expect.poll(() => pair.fake.open.size).toBe(2);
    pair.callee.direct.end(new BonevalueError("disconnected", "The peer has closed it."));
    await bothUseRelay(pair);
  });
});

describe("the next link to a peer", () => {
  test("tries both at once for five minutes after a relayed link", async () => {
    const first = createPair();
    first.caller.direct.end(noPath);
    await bothUseRelay(first);
    for (const { lifetime } of [first.caller, first.callee]) lifetime.end();
    await settle();
    await first.clock.advance(299_000);

    const second = createPair(first.startFallback);
    await bothUseRelay(second);
    for (const { lifetime } of [second.caller, second.callee]) lifetime.end();
    await settle();
    await first.clock.advance(301_000);

    const third = createPair(first.startFallback);
    await settle();
    expect(third.caller.opened).toBe(0);
  });

  test("tries the direct path first again after a direct link", async () => {
    const first = createPair();
    first.caller.direct.end(noPath);
    await bothUseRelay(first);
    for (const { lifetime } of [first.caller, first.callee]) lifetime.end();
    await settle();

    const second = createPair(first.startFallback);
    for (const { direct, lifetime } of [second.caller, second.callee]) {
      direct.open();
      lifetime.end();
    }
    await settle();

    const third = createPair(first.startFallback);
    await settle();
    expect(third.caller.opened).toBe(0);
  });
});
