import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../tools/eventually.ts";
import { createClient } from "../client.ts";
import { createMemoryDiscovery } from "../discovery/memory.ts";

/** Two clients with real data channels, whose server has a `latency` in ms. */
async function linked(latency: number) {
  const discovery = createMemoryDiscovery({ latency });
  const create = () => createClient({ discovery });
  const [ann, bob] = [create(), create()];
  onTestFinished(async () => {
    await Promise.all([ann.disconnect(), bob.disconnect()]);
  });
  for (const name of ["ann", "bob"]) discovery.addUser(name, "");
  discovery.trust("ann", "bob", "bob", "ann");
  await Promise.all([ann.connect("test", "ann", ""), bob.connect("test", "bob", "")]);
  await eventually(() => expect([ann.peers.peek(), bob.peers.peek()].flat()).toHaveLength(2));
  const notes: unknown[] = [];
  bob.module("Note", ({ request }) => notes.push(request));
  await ann.get("bob").call("Note", "hello").first();
  return { ann, bob, notes };
}

test.each([
  ["slower", 200],
  ["faster", 0],
])(
  "what was sent right before a sign-out arrives, and then the reason, when the server is %s than the link",
  async (_, latency) => {
    const { ann, bob, notes } = await linked(latency);
    const link = bob.link(ann.getId()!);
    // More than the platform buffers.
    const sent = Array.from({ length: 100 }, (_, index) => `${index} `.repeat(4_000));
    for (const note of sent) ann.get("bob").message("Note", note);
    ann.disconnect();
    await eventually(() => expect(link.peek().status).toBe("failed"));
    expect(link.peek().error?.message).toMatch("The peer closed the link (cancelled)");
    expect(notes).toEqual(["hello", ...sent]);
  },
);
