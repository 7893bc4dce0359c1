import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { quirksOf } from "./quirks.ts";

test.each([
  ["a browser", {}, "Uint8Array.of(1, 2).buffer"],
  ["node-datachannel", { ext_maxMessageSize: 1 }, "Uint8Array.of(1, 2).buffer"],
  ["werift", { sctpRemotePort: 1 }, "Uint8Array.of(0, 1, 2).subarray(1)"],
])("messages of %s are read also if their bytes are of another realm", async (_, prototype, script) => {
  const quirks = await quirksOf({ prototype } as unknown as typeof RTCPeerConnection);
  expect(quirks.bytes(runInNewContext(script))).toStrictEqual(Uint8Array.of(1, 2));
  expect(quirks.bytes("text")).toBeUndefined();
});
