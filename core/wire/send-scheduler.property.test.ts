import { expect, test } from "vitest";
import { fc, runs } from "../../tools/property.ts";
import { createLifetime } from "../transport/lifetime.ts";
import { createChannels } from "../transport/webrtc/channels.ts";
import { standard } from "../transport/webrtc/quirks.ts";
import { type Frame, Kind } from "./frames.ts";
import { pack } from "./pack.ts";
import { createSendScheduler } from "./send-scheduler.ts";
import { createTestReader } from "./testing/frame-reader.ts";

const KiB = 1_024;
const budgets = { value: 1_000 * KiB, depth: 8, assembly: 200 * KiB };

/** How a platform moves bytes and reports it. */
interface Habits {
  /** Bytes that it moves each time its buffer is read, like a platform with a network thread. */
  readonly moves: readonly number[];
  /** How often it reports the same drain. */
  readonly reports: 1 | 2;
}

type Doing =
  | { readonly do: "control" | "bulk"; readonly flow: number; readonly size: number }
  | { readonly do: "nothing"; readonly flow: number }
  | { readonly do: "move"; readonly size: number };

/** A scheduler over WebRTC channels on such a platform, which has a task queue. */
function onPlatform({ moves, reports }: Habits) {
  const tasks: (() => void)[] = [];
  const sent = { control: [] as Uint8Array[], bulk: [] as Uint8Array[], lossy: [] as Uint8Array[] };
  const made: ((bytes: number) => void)[] = [];
  let looks = 0;

  function channel(name: keyof typeof sent) {
    const listeners = new Set<() => void>();
    let amount = 0;
    const move = (bytes: number) => {
      const before = amount;
      amount = Math.max(0, amount - bytes);
      if (before <= self.bufferedAmountLowThreshold || amount > self.bufferedAmountLowThreshold) return;
      for (let count = 0; count < reports; count++) tasks.push(() => listeners.forEach((listener) => void listener()));
    };
    const self = {
      readyState: "open",
      bufferedAmountLowThreshold: 0,
      get bufferedAmount() {
        if (moves.length > 0) move(moves[looks++ % moves.length]!);
        return amount;
      },
      send(message: Uint8Array) {
        sent[name].push(message.slice());
        amount += message.length;
      },
      addEventListener: (_: string, listener: () => void) => void listeners.add(listener),
    };
    made.push(move);
    return self;
  }

  const lifetime = createLifetime(() => {});
  const channels = createChannels(lifetime);
  const pc = { createDataChannel: channel } as unknown as RTCPeerConnection;
  channels.openOn(pc, standard);
  let time = 0;
  let emptied = false;
  const scheduler = createSendScheduler(
    Object.assign(Object.create(channels), { maxMessage: 256 * KiB }) as typeof channels & { maxMessage: number },
    {
      clock: { now: () => time },
      defer: (task) => tasks.push(task),
      onEmpty: () => {
        emptied = scheduler.isEmpty;
      },
    },
  );
  lifetime.listen({ message: () => {}, drain: scheduler.drained, interrupted: () => {}, restored: () => {} });

  /** Runs the queued tasks. */
  const turn = () => {
    while (tasks.length > 0) tasks.shift()?.();
  };
  const move = (bytes: number) => {
    time += 5;
    for (const moveOn of made) moveOn(bytes);
    turn();
  };
  return { scheduler, sent, turn, move, channels, hasEmptied: () => emptied };
}

const habits: fc.Arbitrary<Habits> = fc.record({
  moves: fc.oneof(
    fc.constant([]),
    fc.constant([Number.POSITIVE_INFINITY]),
    fc.array(fc.integer({ min: 0, max: 40 * KiB }), { minLength: 1, maxLength: 20 }),
  ),
  reports: fc.constantFrom(1, 2),
});

const doing: fc.Arbitrary<Doing> = fc.oneof(
  fc.record({
    do: fc.constantFrom("control", "bulk"),
    flow: fc.integer({ min: 1, max: 4 }),
    size: fc.oneof(fc.integer({ min: 1, max: 4 * KiB }), fc.integer({ min: 1, max: 100 * KiB })),
  }),
  fc.record({ do: fc.constant("nothing"), flow: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant("move"), size: fc.integer({ min: 1, max: 80 * KiB }) }),
);

test("with any timing of the platform, everything is sent in order and nothing keeps waiting", () => {
  fc.assert(
    fc.property(habits, fc.array(doing, { maxLength: 60 }), (habit, doings) => {
      const { scheduler, sent, turn, move, channels, hasEmptied } = onPlatform(habit);
      const given: Record<string, number[]> = {};
      const flowOf = new Map<number, string>();
      let taken = 0;
      scheduler.open({ message: 64 * KiB, assembly: budgets.assembly });
      for (const [index, next] of doings.entries()) {
        const id = index + 1;
        if (next.do === "move") move(next.size);
        else if (next.do === "nothing") scheduler.bulk(`flow ${next.flow}`, () => undefined);
        else {
          const frame = answer(id, next.size);
          // A frame that is too large for control is a flow of its own.
          const flow = next.do === "bulk" ? `flow ${next.flow}` : next.size < 60 * KiB ? "control" : `alone ${id}`;
          given[flow] = [...(given[flow] ?? []), id];
          flowOf.set(id, flow);
          if (next.do === "bulk") scheduler.bulk(flow, frame, () => taken++);
          else scheduler.send("control", frame);
        }
        if (id % 3 === 0) turn();
      }
      turn();
      for (let moved = 0; moved < 60 * 100 * KiB && !scheduler.isEmpty; moved += 16 * KiB) move(16 * KiB);

      expect(scheduler.isEmpty).toBe(true);
      expect(hasEmptied()).toBe(true);
      const arrived: Record<string, number[]> = {};
      for (const channel of ["control", "bulk"] as const) {
        const reader = createTestReader(budgets);
        for (const [, id] of sent[channel].flatMap((message) => reader.read(message))) {
          const flow = flowOf.get(id as number)!;
          arrived[flow] = [...(arrived[flow] ?? []), id as number];
        }
        expect(reader.requireNothingUnfinished).not.toThrow();
      }
      expect(arrived).toEqual(given);
      expect(taken).toBe(doings.filter(({ do: what }) => what === "bulk").length);
      move(Number.POSITIVE_INFINITY);
      expect(channels.buffered).toBe(0);
    }),
    { numRuns: runs(300) },
  );
});

function answer(id: number, size: number): Frame<ReturnType<typeof pack>> {
  const outgoing = { name: "response", code: "invalid-response", depth: 1, size: size + 100 } as const;
  return [Kind.answer, id, pack(new Uint8Array(size), outgoing)];
}
