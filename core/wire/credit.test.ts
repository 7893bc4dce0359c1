import { expect, test } from "vitest";
import { fc, runs } from "../../tools/property.ts";
import { createIncomingCredit, createOutgoingCredit, defaultWindow, type Grant, maxWindow } from "./credit.ts";

const protocol = expect.objectContaining({ code: "protocol" });
const KiB = 1_024;
const MiB = 1_024 * KiB;

test("an item may begin while credit is left, and is finished beyond it", () => {
  const credit = createOutgoingCredit(100);
  credit.begin(99);
  expect(credit.mayBegin).toBe(true);
  credit.begin(50);
  expect(credit.mayBegin).toBe(false);
  credit.grant(99, 149);
  expect(credit.mayBegin).toBe(false);
  credit.grant(149, 249);
  expect(credit).toMatchObject({ mayBegin: true, sent: 149, read: 149 });
});

test.each([
  ["less read than before", 40, 200],
  ["more read than was sent", 101, 200],
  ["a limit that falls", 60, 149],
])("a consumer that contradicts itself breaks the protocol: %s", (_, read, limit) => {
  const credit = createOutgoingCredit(100);
  credit.begin(100);
  credit.grant(50, 150);
  expect(() => credit.grant(read, limit)).toThrow(protocol);
});

test("an item without credit breaks the protocol", () => {
  const credit = createIncomingCredit({ min: 100, max: () => 100 });
  credit.receive(99, 0);
  credit.receive(500, 0);
  expect(() => credit.receive(1, 0)).toThrow(protocol);
});

test("no grant is sent before half of the window is free", () => {
  const credit = createIncomingCredit({ min: 100, max: () => 200 });
  credit.receive(100, 0);
  expect(credit.consume(49, 0)).toBeUndefined();
  expect(credit.consume(1, 0)).toEqual({ read: 50, limit: 150 });
});

test("after an item that is larger than the window, a grant is sent when it was read", () => {
  const credit = createIncomingCredit({ min: 100, max: () => 100 });
  credit.receive(10_000, 0);
  expect(credit.consume(10_000, 0)).toEqual({ read: 10_000, limit: 10_100 });
});

interface Path {
  /** Bytes per ms. */
  readonly link: number;
  readonly consumer?: number;
  readonly roundTrip: number;
  readonly item?: number;
}

/** Simulates a producer that always has an item, a link and a consumer. Measures the last three of five seconds. */
function run({ link, consumer = Number.POSITIVE_INFINITY, roundTrip, item = 64 * KiB }: Path) {
  const out = createOutgoingCredit(defaultWindow);
  const into = createIncomingCredit({ min: defaultWindow, max: () => maxWindow });
  const arrivals: number[] = [];
  const grants: { at: number; read: number; limit: number }[] = [];
  let [linkFree, consumerFree, waiting, measured, credits, most] = [0, 0, 0, 0, 0, 0];
  for (let now = 0; now < 5_000; now += 0.25) {
    while (grants[0] && grants[0].at <= now) {
      const { read, limit } = grants.shift() as { read: number; limit: number };
      out.grant(read, limit);
    }
    while (out.mayBegin && linkFree <= now) {
      out.begin(item);
      linkFree = Math.max(linkFree, now - 0.25) + item / link;
      arrivals.push(linkFree + roundTrip / 2);
    }
    while (arrivals[0] !== undefined && arrivals[0] <= now) {
      arrivals.shift();
      into.receive(item, now);
      waiting += item;
    }
    most = Math.max(most, waiting);
    while (waiting > 0 && consumerFree <= now) {
      waiting -= item;
      consumerFree = Math.max(consumerFree, now - 0.25) + item / consumer;
      if (now >= 2_000) measured += item;
      const grant = into.consume(item, now);
      if (grant) grants.push({ at: now + roundTrip / 2, ...grant });
      if (grant && now >= 2_000) credits++;
    }
  }
  return { rate: measured / 3_000, credits: credits / 3, most, window: into.window };
}

test.each([
  { link: 100, roundTrip: 200 },
  { link: 1_000, roundTrip: 1 },
  { link: 1_000, roundTrip: 50 },
  { link: 5_000, roundTrip: 200 },
  { link: 10_000, roundTrip: 20 },
  { link: 25_000, roundTrip: 1 },
  { link: 25_000, roundTrip: 50 },
  { link: 25_000, roundTrip: 100 },
  { link: 25_000, roundTrip: 5, item: 1_000 },
])("a link of $link bytes a ms and a round trip of $roundTrip ms is filled", (path) => {
  const { rate, window } = run(path);
  expect(rate).toBeGreaterThan(path.link * 0.95);
  expect(window).toBeLessThan(Math.max(3 * defaultWindow, path.link * 3 * (path.roundTrip + 30)));
});

test("at most about forty credit frames are sent per second, on the fastest link", () => {
  expect(run({ link: 45_000, roundTrip: 1 }).credits).toBeLessThan(40);
});

test("a slow consumer limits the producer to the smallest window", () => {
  const { rate, most } = run({ link: 25_000, roundTrip: 20, consumer: 1_000 });
  expect(rate).toBeGreaterThan(900);
  expect(most).toBeLessThanOrEqual(defaultWindow + 64 * KiB);
});

test("the window stays within its share on a fast link", () => {
  const credit = createIncomingCredit({ min: MiB, max: () => 2 * MiB });
  for (let now = 0; now < 1_000; now += 20) {
    credit.receive(10 * MiB, now);
    credit.consume(10 * MiB, now);
  }
  expect(credit.window).toBe(2 * MiB);
});

test("the window shrinks when the consumer slows down, and limits never fall", () => {
  const credit = createIncomingCredit({ min: 256 * KiB, max: () => 4 * MiB });
  let limit = 0;
  const read = (bytes: number, now: number) => {
    credit.receive(bytes, now);
    const grant = credit.consume(bytes, now);
    expect(grant?.limit ?? limit).toBeGreaterThanOrEqual(limit);
    limit = grant?.limit ?? limit;
  };
  for (let now = 0; now < 1_000; now += 10) read(MiB, now);
  expect(credit.window).toBeGreaterThan(2 * MiB);
  for (let now = 1_000; now < 3_000; now += 100) read(64 * KiB, now);
  expect(credit.window).toBe(256 * KiB);
});

const happening = fc.record({
  what: fc.constantFrom("send", "arrive", "read", "grant", "wait"),
  size: fc.oneof(fc.integer({ min: 1, max: 2 * KiB }), fc.integer({ min: 1, max: MiB })),
});

test("with any delays, credit is never exceeded or contradicted, and a waiting producer gets a grant", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 200 }), fc.integer({ min: 1, max: MiB }), (happenings, min) => {
      let [now, largest] = [0, 4 * MiB];
      const out = createOutgoingCredit(min);
      const into = createIncomingCredit({ min, max: () => largest });
      const onItsWay: number[] = [];
      const waiting: number[] = [];
      const granted: Grant[] = [];
      const steps = {
        send(size: number) {
          if (!out.mayBegin) return;
          out.begin(size);
          onItsWay.push(size);
        },
        arrive() {
          const size = onItsWay.shift();
          if (size === undefined) return;
          into.receive(size, now);
          waiting.push(size);
        },
        read() {
          const grant = into.consume(waiting.shift() ?? 0, now);
          if (grant) granted.push(grant);
        },
        grant() {
          const grant = granted.shift();
          if (grant) out.grant(grant.read, grant.limit);
        },
        // The share of a stream changes with the number of streams, and a clock may jump.
        wait(size: number) {
          now += size;
          largest = size * 4;
        },
      };
      for (const { what, size } of happenings) {
        steps[what as keyof typeof steps](size);
        expect(into.window).toBeGreaterThanOrEqual(min);
        expect(into.window).toBeLessThanOrEqual(4 * MiB);
      }
      while (onItsWay.length > 0) steps.arrive();
      while (waiting.length > 0) steps.read();
      while (granted.length > 0) steps.grant();
      expect(out.mayBegin).toBe(true);
    }),
    { numRuns: runs(1_000) },
  );
});
