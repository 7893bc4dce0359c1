import { expect, test } from "vitest";
import { defaultLimits } from "../limits.ts";
import type { LinkIdentity } from "../transport/transport.ts";
import { type Frame, features, Kind } from "../wire/frames.ts";
import { createHello, helloOf, readHello } from "./hello.ts";

const hello = helloOf("peer", defaultLimits);

/** The code of the error with which a first frame is rejected; undefined if it is accepted. */
function rejectionOf(frame: Frame<unknown>, identity?: Pick<LinkIdentity, "accepts">): string | undefined {
  try {
    readHello(frame, "peer", identity);
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test("a hello states the limits and the features of its side", () => {
  expect(readHello(createHello(hello), "peer")).toEqual(hello);
  expect(hello).toMatchObject({ calls: defaultLimits.requestsPerPeer, features });
});

test.each(["value", "calls", "streams", "window", "assembly"])("a limit may be 1, and not 0: %s", (limit) => {
  expect(rejectionOf(createHello({ ...hello, [limit]: 1 }))).toBeUndefined();
  expect(rejectionOf(createHello({ ...hello, [limit]: 0 }))).toBe("protocol");
});

test("a hello of a later version is read, without the fields that this version does not know", () => {
  expect(readHello([Kind.hello, 2, { ...hello, more: 1 } as never], "peer")).toEqual(hello);
});

test.each([0, -1, 1.5])("version %s is incompatible", (version) => {
  expect(rejectionOf([Kind.hello, version, hello])).toBe("incompatible");
});

test("a first frame of another kind breaks the protocol, whatever else it has", () => {
  expect(rejectionOf([Kind.signal, 1, hello] as never)).toBe("protocol");
});

test.each([
  ["nothing", null],
  ["no peer", { ...hello, peer: undefined }],
  ["a message size below 16 KiB", { ...hello, message: 16 * 1_024 - 1 }],
  ["features that are no texts", { ...hello, features: [1] }],
])("a malformed hello breaks the protocol: %s", (_, data) => {
  expect(rejectionOf([Kind.hello, 1, data as never])).toBe("protocol");
});

test("a hello of another peer than the dialed one is an identity mismatch", () => {
  expect(rejectionOf(createHello({ ...hello, peer: "another" }))).toBe("identity-mismatch");
});

test("a hello with other keys than those that signed the signals is an identity mismatch", () => {
  const accepts = (keys: unknown) => keys === "signed";
  expect(rejectionOf(createHello({ ...hello, identity: "signed" }), { accepts })).toBeUndefined();
  expect(rejectionOf(createHello({ ...hello, identity: "other" }), { accepts })).toBe("identity-mismatch");
  expect(rejectionOf(createHello(hello), { accepts })).toBe("identity-mismatch");
});
