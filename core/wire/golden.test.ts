import { readFileSync } from "node:fs";
import { decode as independentDecode } from "@msgpack/msgpack";
import { expect, test } from "vitest";
import { viewNames } from "./annotations.ts";
import { decode, encode, unpackValue } from "./codec.ts";
import { CloseStep, type Frame, features, type Hello, Kind, PresenceStep } from "./frames.ts";
import { type Packed, pack } from "./pack.ts";

interface Golden {
  readonly hex: string;
  /** The JSON of what any msgpack library reads. Bytes are `{ "bin": hex }`. */
  readonly reads: unknown;
}

const golden: Readonly<Record<string, Golden>> = JSON.parse(
  readFileSync(new URL("golden.json", import.meta.url), "utf8"),
);

const hello: Hello = {
  peer: "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
  message: 65_536,
  value: 8_388_608,
  calls: 1_024,
  streams: 256,
  window: 262_144,
  assembly: 16_777_216,
};

function packed(value: unknown): Packed {
  let streams = 0;
  const attach = (source: object) => {
    const id = ++streams;
    if (!(source instanceof Blob)) return { kind: "stream", detail: id } as const;
    return { kind: "blob", detail: [id, "notes.txt", source.type, source.size] } as const;
  };
  return pack(value, { name: "value", code: "invalid-request", depth: 16, size: 10_000, attach });
}

const values: Readonly<Record<string, unknown>> = {
  undefined: { none: undefined },
  hole: new Array(1),
  text: "half a pair: \ud83d",
  BigInt: [-255n, 2n ** 64n],
  Date: [new Date(86_400_000), new Date(Number.NaN)],
  Set: new Set(["a", "b"]),
  Map: new Map([["a", 1n]]),
  Object: JSON.parse('{"__proto__": 1, "b": 2}'),
  ArrayBuffer: Uint8Array.of(1, 2).buffer,
  DataView: new DataView(Uint8Array.of(3, 4).buffer),
  Float64Array: Float64Array.of(1.5),
  stream: { ticks: new ReadableStream() },
  Int8Array: Int8Array.of(-1, 1),
  Uint8ClampedArray: Uint8ClampedArray.of(0, 255),
  Int16Array: Int16Array.of(-2, 1),
  Uint16Array: Uint16Array.of(1, 65_535),
  Int32Array: Int32Array.of(-2),
  Uint32Array: Uint32Array.of(1),
  BigInt64Array: BigInt64Array.of(-2n),
  BigUint64Array: BigUint64Array.of(1n),
  Float16Array: createFloat16Array(1.5),
  Float32Array: Float32Array.of(1.5),
  blob: { file: new Blob(["hello"], { type: "text/plain" }) },
};

const announced: Readonly<Record<string, unknown>> = {
  stream: { ticks: { detail: 1 } },
  blob: { file: { detail: [1, "notes.txt", "text/plain", 5] } },
};

// TypeScript's library does not know it yet.
function createFloat16Array(...values: readonly number[]): unknown {
  const { Float16Array } = globalThis as unknown as { Float16Array: { of(...values: readonly number[]): unknown } };
  return Float16Array.of(...values);
}

const frames: Readonly<Record<string, Frame<Packed>>> = {
  hello: [Kind.hello, 1, hello],
  "hello with features": [Kind.hello, 1, { ...hello, features }],
  call: [Kind.call, 1, "echo", packed({ text: "Not Friday" }), 30_000],
  "call without a deadline": [Kind.call, 2, "echo", packed(null), null],
  answer: [Kind.answer, 1, packed([1, -1, 1.5, true, "é", Uint8Array.of(0, 255)])],
  fail: [Kind.fail, 1, "busy", "Too many requests at once. Call again later."],
  "fail with data": [Kind.fail, 1, "handler-failed", "No such day.", packed({ day: "Friday" })],
  cancel: [Kind.cancel, 1, "cancelled"],
  item: [Kind.item, 1, packed(Uint8Array.of(1, 2, 3))],
  end: [Kind.end, 1],
  "end by an error": [Kind.end, 1, "handler-failed", "The disk is full."],
  credit: [Kind.credit, 1, 131_072, 393_216],
  stop: [Kind.stop, 1, "cancelled"],
  part: [Kind.part, 1, 70_000, Uint8Array.of(1, 2, 3)],
  "part that drops its value": [Kind.part, 1, 0, new Uint8Array()],
  "close: offer": [Kind.close, CloseStep.offer],
  "close: accept": [Kind.close, CloseStep.accept],
  "close: decline": [Kind.close, CloseStep.decline],
  "close for good": [Kind.close, CloseStep.offer, "disconnected"],
  signal: [Kind.signal, 0, { attempt: 1, round: 1, description: { type: "offer", sdp: "v=0" } }],
  notify: [Kind.notify, 0, "cursor", packed({ x: 3, y: 4 })],
  ack: [Kind.ack, 256],
  refuse: [Kind.refuse, 9, "save", "forbidden", 'The peer does not offer "save" to us.'],
  "presence: subscribe": [Kind.presence, PresenceStep.subscribe, "cursor"],
  "presence: stop": [Kind.presence, PresenceStep.stop, "cursor"],
  "presence: value": [Kind.presence, PresenceStep.value, "cursor", 7, packed({ x: 3, y: 4 })],
  "presence: value withdrawn": [Kind.presence, PresenceStep.value, "cursor", 8],
  "presence: ack": [Kind.presence, PresenceStep.ack, "cursor", 7],
  ...Object.fromEntries(
    Object.entries(values).map(([kind, value]) => [`annotation: ${kind}`, [Kind.item, 1, packed(value)] as const]),
  ),
};

function bytes(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

function asJson(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, inner) =>
      inner instanceof Uint8Array ? { bin: Buffer.from(inner).toString("hex") } : inner,
    ),
  );
}

test("every kind of frame, and of annotation, has its golden bytes", () => {
  expect(Object.keys(golden)).toEqual(Object.keys(frames));
  expect(new Set(Object.values(frames).map(([kind]) => kind))).toEqual(new Set(Object.values(Kind)));
  expect(Object.keys(golden)).toEqual(expect.arrayContaining(viewNames.map((kind) => `annotation: ${kind}`)));
});

test.each(Object.entries(frames))("%s is written as its golden bytes", (name, frame) => {
  expect(Buffer.from(encode(frame)).toString("hex")).toBe(golden[name]?.hex);
});

test.each(Object.entries(golden))("%s: an independent decoder reads the golden bytes", (_, { hex, reads }) => {
  expect(asJson(independentDecode(bytes(hex)))).toEqual(reads);
});

test.each(Object.entries(values))("an annotation of kind %s is read from its golden bytes", (kind, value) => {
  const [frame] = decode(bytes(golden[`annotation: ${kind}`]?.hex ?? ""), { value: 10_000, depth: 16 });
  const read = frame?.[0] === Kind.item && unpackValue(frame[2], (_, detail) => ({ detail }));
  expect(read).toStrictEqual(announced[kind] ?? value);
});

test("every kind of view that the platform has arrives", () => {
  for (const kind of viewNames) {
    const View = (globalThis as Record<string, unknown>)[kind] as (new (bytes: ArrayBuffer) => object) | undefined;
    if (!View) continue;
    const view = new View(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8).buffer);
    const [frame] = decode(encode([Kind.item, 1, packed(view)]), { value: 100, depth: 1 });
    expect(frame?.[0] === Kind.item && unpackValue(frame[2])).toStrictEqual(view);
  }
});
