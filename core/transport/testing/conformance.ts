import { describe, expect, onTestFinished, test } from "vitest";
import { BonevalueError } from "../../errors.ts";
import type {
  Candidate,
  Channel,
  Description,
  Link,
  RelayExchange,
  SignalExchange,
  SignalListener,
  Transport,
} from "../transport.ts";

/** A transport under test. */
export interface Subject {
  readonly name: string;
  readonly transport: Transport;
  /** Creates the relay of one attempt. */
  readonly createRelay?: () => { readonly caller: RelayExchange; readonly callee: RelayExchange };
  /** What it holds at this moment: connections, or whatever else must not pile up. */
  held(): number;
}

/** What every transport must do, whatever carries it. */
export function transportConformance({ name, transport, createRelay, held }: Subject): void {
  const dialed = () => attempt(transport, createRelay?.());

  describe(`a link by ${name}`, () => {
    test("opens on both sides", async () => {
      const [caller, callee] = await dialed().opened();
      expect(caller.maxMessage).toBeGreaterThanOrEqual(65_536);
      expect(callee.maxMessage).toBe(caller.maxMessage);
    });

    test.each(["control", "bulk", "lossy"] as const)("carries messages on %s, both ways", async (channel) => {
      const [caller, callee] = await dialed().opened();
      const [atCaller, atCallee] = [inboxOf(caller), inboxOf(callee)];
      caller.send(channel, bytesOf(1, 2, 3));
      callee.send(channel, bytesOf(4));
      expect(await atCallee.take(1)).toEqual([[channel, bytesOf(1, 2, 3)]]);
      expect(await atCaller.take(1)).toEqual([[channel, bytesOf(4)]]);
    });

    test("keeps the order within control and within bulk", async () => {
      const [caller, callee] = await dialed().opened();
      const inbox = inboxOf(callee);
      for (let index = 0; index < 200; index++) {
        caller.send("control", numberedMessage(index, 20));
        caller.send("bulk", numberedMessage(index, index % 7 === 0 ? 5_000 : 10));
      }
      const arrived = await inbox.take(400);
      for (const channel of ["control", "bulk"]) {
        const numbers = arrived.filter(([on]) => on === channel).map(([, bytes]) => bytes[0]);
        expect(numbers).toEqual(Array.from({ length: 200 }, (_, index) => index));
      }
    });

    test("carries complete messages from one byte to the largest size", async () => {
      const [caller, callee] = await dialed().opened();
      const inbox = inboxOf(callee);
      const messages = [1, 1_000, 16_384, 65_536, caller.maxMessage].map((size) => patterned(size));
      for (const message of messages) caller.send("bulk", message);
      const arrived = await inbox.take(messages.length);
      for (const [index, [, bytes]] of arrived.entries()) expect(sameBytes(bytes, messages[index]!)).toBe(true);
    });

    test("sends the bytes of a view as they were at the call", async () => {
      const [caller, callee] = await dialed().opened();
      const inbox = inboxOf(callee);
      const backing = bytesOf(9, 1, 2, 3, 9);
      caller.send("control", backing.subarray(1, 4));
      backing.fill(0);
      expect(await inbox.take(1)).toEqual([["control", bytesOf(1, 2, 3)]]);
    });

    test("is ended by a message that is too large, instead of truncating it", async () => {
      const [caller] = await dialed().opened();
      caller.send("bulk", patterned(caller.maxMessage + 1));
      expect((await caller.closed)?.code).toBe("link-failed");
    });

    test("keeps messages until there is a listener", async () => {
      const [caller, callee] = await dialed().opened();
      const replies = inboxOf(caller);
      for (const index of [1, 2, 3]) caller.send("control", bytesOf(index));
      // When this has come back, the others have arrived.
      const bounced = inboxOf(callee, { late: true });
      callee.send("control", bytesOf(0));
      await replies.take(1);
      bounced.listen();
      expect((await bounced.take(3)).map(([, [first]]) => first)).toEqual([1, 2, 3]);
    });

    test.each([
      { on: "control", channels: ["control"] },
      { on: "bulk", channels: ["bulk"] },
      { on: "both", channels: ["control", "bulk"] },
    ] as const)("counts its buffered bytes and calls drain: $on", async ({ channels }) => {
      const [caller, callee] = await dialed().opened();
      inboxOf(callee);
      const inbox = inboxOf(caller);
      caller.lowMark = 100_000;
      const message = patterned(60_000);
      while (caller.buffered <= 400_000) for (const channel of channels) caller.send(channel, message);
      // It may drain while it is being filled.
      while (caller.buffered > 100_000) await inbox.drained();
    });

    test("reports its path and round-trip time", async () => {
      const [caller, callee] = await dialed().opened();
      const inbox = inboxOf(callee);
      caller.send("control", bytesOf(1));
      await inbox.take(1);
      const { path, roundTrip } = (await caller.stats?.()) ?? {};
      expect(path).toMatch(/^(direct|turn|relay|memory)$/);
      expect(roundTrip).toBeGreaterThanOrEqual(0);
      expect(roundTrip).toBeLessThan(1_000);
    });

    test("ends on the other side when it is closed", async () => {
      const [caller, callee] = await dialed().opened();
      caller.close();
      expect(await caller.closed).toBeUndefined();
      const reason = await callee.closed;
      expect(reason).toBeInstanceOf(BonevalueError);
      expect(reason?.code).toBe("disconnected");
    });

    test("ends with the first reason of close", async () => {
      const [, callee] = await dialed().opened();
      const reason = new BonevalueError("forbidden", "A test's own reason.");
      callee.close(reason);
      callee.close();
      expect(await callee.closed).toBe(reason);
    });

    test("ignores messages after its end", async () => {
      const [caller, callee] = await dialed().opened();
      callee.close();
      await caller.closed;
      for (const link of [caller, callee]) link.send("control", bytesOf(1));
      expect(caller.buffered).toBe(0);
    });

    test("that is closed before it opens rejects, with the reason of close", async () => {
      const { caller, callee } = dialed();
      const reason = new BonevalueError("timeout", "A test's own reason.");
      caller.close();
      callee.close(reason);
      await expect(caller.opened).rejects.toMatchObject({ code: "cancelled" });
      await expect(callee.opened).rejects.toBe(reason);
      expect(await callee.closed).toBe(reason);
    });

    test("refuses an unexpected description", async () => {
      const { callee, callerSays } = dialed();
      callerSays({ type: "answer", sdp: "v=0\r\n" });
      expect((await callee.closed)?.code).toBe("protocol");
    });

    test("releases its connections", async () => {
      for (let round = 0; round < 5; round++) {
        const [caller, callee] = await dialed().opened();
        caller.close();
        await callee.closed;
        const unanswered = transport.open("nobody", "caller", deaf);
        unanswered.close();
        await unanswered.closed;
      }
      expect(held()).toBe(0);
    });
  });
}

/** Both sides of one attempt, joined by exchanges that lose nothing. */
function attempt(transport: Transport, relay?: ReturnType<NonNullable<Subject["createRelay"]>>) {
  const toCallee = createHalf();
  const toCaller = createHalf();
  const caller = transport.open("callee", "caller", {
    ...toCallee.outgoing,
    ...toCaller.incoming,
    relay: relay?.caller,
  });
  const callee = transport.open("caller", "callee", {
    ...toCaller.outgoing,
    ...toCallee.incoming,
    relay: relay?.callee,
  });
  onTestFinished(async () => {
    for (const link of [caller, callee]) link.close();
    await Promise.all([caller.closed, callee.closed]);
  });
  return {
    caller,
    callee,
    callerSays: toCallee.outgoing.describe,
    async opened(): Promise<readonly [Link, Link]> {
      await Promise.all([caller.opened, callee.opened]);
      return [caller, callee];
    },
  };
}

/** One direction of an exchange: signals arrive later, each description before its candidates. */
function createHalf() {
  let listen: (listener: SignalListener) => void;
  const listening = new Promise<SignalListener>((resolve) => {
    listen = resolve;
  });
  const notify = (what: (listener: SignalListener) => void) => void listening.then(what);
  let describe = () => {};
  const described = new Promise<void>((resolve) => {
    describe = resolve;
  });
  return {
    outgoing: {
      describe(description: Description) {
        notify((listener) => listener.description(structuredClone(description)));
        describe();
      },
      candidate: (candidate: Candidate) =>
        void described.then(() => notify((listener) => listener.candidate(structuredClone(candidate)))),
      restart: () => notify((listener) => listener.restart()),
      settled: () => {},
    },
    incoming: { listen: (listener: SignalListener) => listen(listener), iceServers: () => [] },
  };
}

const deaf: SignalExchange = {
  describe: () => {},
  candidate: () => {},
  restart: () => {},
  settled: () => {},
  listen: () => {},
  iceServers: () => [],
};

/** Listens, and gives what has arrived in order. */
function inboxOf(link: Link, { late = false } = {}) {
  const arrived: [Channel, Uint8Array][] = [];
  let wake = () => {};
  let told = () => {};
  const listen = () =>
    link.listen({
      message(channel, bytes) {
        arrived.push([channel, bytes]);
        wake();
      },
      drain: () => told(),
      interrupted: () => {},
      restored: () => {},
    });
  if (!late) listen();
  return {
    listen,
    /** Resolves when it is told next. */
    drained: () =>
      new Promise<void>((resolve) => {
        told = resolve;
      }),
    async take(count: number): Promise<[Channel, Uint8Array][]> {
      while (arrived.length < count) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return arrived.splice(0, count);
    },
  };
}

function bytesOf(...bytes: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}

function numberedMessage(index: number, size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(size).fill(index);
}

function patterned(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
}

// Comparing a quarter of a megabyte by toEqual takes seconds.
function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index]);
}
