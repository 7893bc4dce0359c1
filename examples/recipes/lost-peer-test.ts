import { createNetwork, createVirtualClock } from "bonevalue/testing";

/** As `expect(actual, title).toBe(expected)` of Vitest. */
type ExpectEqual = (title: string, actual: unknown, expected: unknown) => void;

/** Tests that a call ends when its peer has become unreachable. */
export async function testLostPeer(expectEqual: ExpectEqual): Promise<void> {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 100 });
  const ann = network.client("ann");
  const bob = network.client("bob");
  ann.connect("test", "ann", "");
  bob.connect("test", "bob", "");
  await clock.advance(1_000);

  bob.module("Echo", ({ request }) => request);
  const echo = ann.get("bob").call("Echo", "Friday");
  await clock.advance(1_000);
  expectEqual("Bob’s reply", await echo.first(), "Friday");

  network.partition(bob.getId()!);
  const lost = ann.get("bob").call("Echo", "Saturday");
  await clock.advance(60_000);
  const [reply] = await lost.all();
  expectEqual("The error of the lost peer", reply?.error?.code, "disconnected");
  expectEqual("The virtual time in ms", clock.now(), 62_000);
}
