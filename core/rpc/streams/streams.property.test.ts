import { expect, test } from "vitest";
import { fc, runs } from "../../../tools/property.ts";
import type { BonevalueError } from "../../errors.ts";
import type { IncomingStream } from "./incoming-stream.ts";
import { createLinkedPair, type LinkedPair } from "./testing/linked-pair.ts";

/** An action on one of the streams, or on the link. */
type Step =
  | { readonly do: "read" | "cancel" | "abort"; readonly stream: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "cut" };

interface Plan {
  readonly direction: "there" | "back";
  readonly items: number;
  readonly bytes: number;
  readonly fails: boolean;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  direction: fc.constantFrom("there", "back"),
  items: fc.nat(12),
  bytes: fc.constantFrom(10, 20_000, 150_000),
  fails: fc.boolean(),
});

const onStream = (what: "read" | "cancel" | "abort") =>
  fc.record({ do: fc.constant(what), stream: fc.nat(3) }) satisfies fc.Arbitrary<Step>;

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: onStream("read") },
  { weight: 2, arbitrary: onStream("cancel") },
  { weight: 2, arbitrary: onStream("abort") },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.constant({ do: "cut" as const }) },
);

/** Returns the number that fills an item. */
function numberOf(item: Uint8Array): number {
  const [first = -1] = item;
  return item.every((byte) => byte === first) ? first : -1;
}

/** One stream, its two ends, and a record of what happened. */
function createStream({ ann, bob }: LinkedPair, name: string, { direction, items, bytes, fails }: Plan) {
  const controller = new AbortController();
  const causes = new Set<string>();
  const read: number[] = [];
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let ended: "done" | BonevalueError | undefined;
  let open = true;

  async function* source(): AsyncGenerator<Uint8Array, void, void> {
    try {
      // All items share one buffer, as each was sent when the next is asked for.
      const buffer = new Uint8Array(bytes);
      for (let n = 0; n < items; n++) yield buffer.fill(n);
      if (fails) throw new Error("failed");
    } finally {
      open = false;
    }
  }

  const take = (stream: IncomingStream<Uint8Array>) => {
    reader = stream.getReader();
  };
  bob.module(name, ({ request }) => {
    if (direction === "back") return source();
    take(request);
    return "taken";
  });
  const sent = direction === "there" ? source() : undefined;
  const reply = ann.call(name, sent, { signal: controller.signal }).first();
  reply.then(
    (value) => value !== "taken" && take(value),
    () => {},
  );

  async function readNext(): Promise<void> {
    try {
      const next = await reader?.read();
      if (next?.done) ended ??= "done";
      else if (next) read.push(numberOf(next.value));
    } catch (error) {
      ended ??= error as BonevalueError;
    }
  }

  return {
    readNext,
    cancel() {
      causes.add("done");
      // The error of a stream that has failed.
      reader?.cancel().catch(() => {});
    },
    abort() {
      causes.add("cancelled");
      controller.abort();
    },
    cut: () => causes.add("disconnected"),
    /** Whether its producer has stopped for good. */
    async isClosed(): Promise<boolean> {
      if (!open) return true;
      // A generator that was ended before it began has run no code.
      return (await sent?.next())?.done ?? read.length === 0;
    },
    check() {
      expect(read).toEqual(Array.from(read, (_, index) => index));
      if (ended === "done") expect(read.length === items || causes.has("done")).toBe(true);
      else if (ended?.code === "handler-failed") expect([fails, read.length]).toEqual([true, items]);
      else if (ended) expect([...causes]).toContain(ended.code);
    },
  };
}

async function perform(on: LinkedPair, streams: readonly ReturnType<typeof createStream>[], step: Step): Promise<void> {
  if (step.do === "wait") return on.clock.advance(step.ms);
  if (step.do === "cut") {
    on.cut();
    for (const stream of streams) stream.cut();
    return;
  }
  const stream = streams[step.stream % streams.length]!;
  if (step.do === "read") void stream.readNext();
  else stream[step.do]();
}

test("with any timing of reads, cancels, errors, aborts and losses, items arrive in order, reasons are right, and nothing stays open", async () => {
  const plans = fc.array(plan, { minLength: 1, maxLength: 4 });
  const steps = fc.array(step, { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(plans, steps, fc.boolean(), async (plans, steps, endsByCut) => {
      const on = createLinkedPair({ latency: 3 });
      const streams = plans.map((plan, index) => createStream(on, `Stream${index}`, plan));
      for (const step of steps) await perform(on, streams, step);
      await on.clock.advance(20);
      if (endsByCut) await perform(on, streams, { do: "cut" });
      for (const stream of streams) stream.abort();
      await on.clock.advance(20);
      for (const stream of streams) await stream.readNext();
      await on.clock.advance(20);
      for (const stream of streams) stream.check();
      expect(await Promise.all(streams.map(({ isClosed }) => isClosed()))).toEqual(streams.map(() => true));
      const cut = on.ann.ended !== undefined;
      if (!cut)
        expect([on.ann.rpc.isIdle, on.bob.rpc.isIdle, on.ann.bytesInFlight, on.bob.bytesInFlight]).toEqual([
          true,
          true,
          0,
          0,
        ]);
      // Only a source that fails is an error of its own page.
      const errors = [...on.ann.errors, ...on.bob.errors].filter(({ message }) => message !== "failed");
      expect(errors).toEqual([]);
    }),
    { numRuns: runs(200) },
  );
});
