import { describe, expect, test } from "vitest";
import { createProfileUpdates } from "./profile-updates.ts";
import { type Peer, password, signedIn, startTestServer } from "./testing/test-server.ts";
import { virtualClock } from "./testing/virtual-clock.ts";

const as = (username: string, profile: unknown = {}) => ({ username, password, profile });
const sized = (bytes: number) => ({ a: "x".repeat(bytes - 8) });

function updatesOf({ received }: Pick<Peer, "received">): [id: string, profile: any][] {
  return received.filter(({ type }) => type === "peerUpdates").flatMap(({ data }) => data);
}

describe("a profile", () => {
  test("is announced and listed with its peer, and an empty one is omitted", async () => {
    const { signIn } = await startTestServer(["ann", "bob"]);
    const ann = await signIn("ann", as("ann"));
    const bob = await signIn("bob", as("bob", { avatar: "/bob.png" }));
    expect((await ann.next("peerConnect")).data).toEqual({ name: "Bob", id: bob.id, profile: { avatar: "/bob.png" } });
    expect(bob.peers).toEqual([{ name: "Ann", id: ann.id }]);
    const late = await signIn("ann", as("ann"));
    expect(late.peers).toContainEqual({ name: "Bob", id: bob.id, profile: { avatar: "/bob.png" } });
  });

  test("changes in batches, every 200 ms with the newest of each peer", async () => {
    const { signIn, clock, settled } = await startTestServer(["ann", "bob", "cat"]);
    const [ann, bob, cat] = [
      await signIn("ann", as("ann")),
      await signIn("bob", as("bob")),
      await signIn("cat", as("cat")),
    ];
    for (let n = 1; n <= 5; n++) {
      bob.send("setProfile", { profile: { n } });
      cat.send("setProfile", { profile: { n } });
    }
    await settled(bob, cat);
    expect(updatesOf(ann)).toEqual([]);
    clock.advance(200);
    await settled(ann);
    clock.advance(200);
    await settled(ann);
    clock.advance(1_000);
    await settled(ann);
    const batches = ann.received.filter(({ type }) => type === "peerUpdates");
    expect(batches.map(({ data }) => data.length)).toEqual([2, 2]);
    expect(new Set(batches[1]!.data.map(([, { n }]: [string, { n: number }]) => n))).toEqual(new Set([5]));
    expect(updatesOf(bob).map(([id]) => id)).not.toContain(bob.id);
  });

  test("that says the same again is not told", async () => {
    const { signIn, clock, settled } = await startTestServer(["ann", "bob"]);
    const [ann, bob] = [await signIn("ann", as("ann")), await signIn("bob", as("bob", { n: 1 }))];
    bob.send("setProfile", { profile: { n: 1 } });
    await settled(bob);
    clock.advance(1_000);
    await settled(ann);
    expect(updatesOf(ann)).toEqual([]);
  });

  test("is not told to a client that never had one, as an older version", async () => {
    const { signIn, clock, settled } = await startTestServer(["ann", "bob"]);
    const [ann, bob] = [await signIn("ann"), await signIn("bob", as("bob", { n: 1 }))];
    bob.send("setProfile", { profile: { n: 2 } });
    await settled(bob);
    clock.advance(1_000);
    await settled(ann, bob);
    expect(updatesOf(ann)).toEqual([]);
    expect((await signIn("bob", as("bob"))).peers).toContainEqual({ name: "Ann", id: ann.id });
  });

  test("of a first frame replaces the last one when the session reconnects", async () => {
    const { signIn, lose, clock, settled } = await startTestServer(["ann", "bob"]);
    const [ann, bob] = [await signIn("ann", as("ann")), await signIn("bob", as("bob", { n: 1 }))];
    await lose(bob);
    const again = await signIn("bob", { session: bob.session, profile: { n: 2 } });
    expect(again.resumed).toBe(true);
    await settled(again, ann);
    clock.advance(200);
    await settled(ann);
    expect(updatesOf(ann)).toEqual([[bob.id, { n: 2 }]]);
    again.send("setProfile", { profile: { n: 3 } });
    await settled(again);
    clock.advance(200);
    await settled(ann);
    expect(updatesOf(ann).at(-1)).toEqual([bob.id, { n: 3 }]);
  });

  test("that changed right before its peer left and came back never overrides the newer one", async () => {
    const { signIn, clock, settled } = await startTestServer(["ann", "bob"]);
    const [ann, bob] = [await signIn("ann", as("ann")), await signIn("bob", as("bob"))];
    bob.send("setProfile", { profile: { n: 1 } });
    bob.send("bye", { back: true });
    await bob.closed;
    await ann.next("peerDisconnect");
    const again = await signIn("bob", { session: bob.session, profile: { n: 2 } });
    expect((await ann.next("peerConnect")).data).toEqual({ name: "Bob", id: bob.id, profile: { n: 2 } });
    await settled(again, ann);
    clock.advance(1_000);
    await settled(ann);
    expect(updatesOf(ann)).toEqual([]);
  });
});

describe("a hostile profile", () => {
  test.for([
    ["a text", "profile"],
    ["a list", []],
    ["null", null],
    ["1 025 bytes", sized(1_025)],
    ["a __proto__", JSON.parse('{"__proto__":{"admin":true}}')],
    ["a __proto__ inside", { a: [JSON.parse('{"__proto__":1}')] }],
    ["a nesting that overflows the stack", JSON.parse(`${"[".repeat(2_000)}${"]".repeat(2_000)}`)],
  ])("that is or has %s ends its socket, in a first frame and later", async ([, profile]) => {
    const { signIn, open, settled } = await startTestServer(["ann", "bob"]);
    const ann = await signIn("ann", as("ann"));
    const first = await open();
    first.socket.send(JSON.stringify({ type: "authenticate", data: { version: 1, ...as("bob", profile) } }));
    expect((await first.next("error")).data.code).toBe("protocol");
    expect(await first.closed).toBe(1008);
    const bob = await signIn("bob", as("bob"));
    bob.send("setProfile", { profile });
    expect((await bob.next("error")).data.code).toBe("protocol");
    expect(await bob.closed).toBe(1008);
    await settled(ann);
    expect(updatesOf(ann)).toEqual([]);
  });

  test("has at most 1 KiB", async () => {
    const { signIn, settled } = await startTestServer(["ann", "bob"]);
    const bob = await signIn("bob", as("bob", sized(1_024)));
    await settled(bob);
    expect((await signIn("ann", as("ann"))).peers[0]).toMatchObject({ profile: sized(1_024) });
  });

  test("of 10 000 updates a second delays only its own socket, and the newest arrives", {
    timeout: 60_000,
  }, async () => {
    const { signIn, open, settled, clock } = await startTestServer(["ann", "bob"], {
      limits: { frameRate: 20_000, frameBurst: 20_000 },
    });
    const [ann, bob] = [await signIn("ann", as("ann")), await signIn("bob", as("bob"))];
    for (let n = 1; n <= 10_000; n++) {
      bob.send("setProfile", { profile: { n, a: "x".repeat(900) } });
      if (n % 100 === 0) {
        await bob.settled();
        clock.advance(10);
      }
    }
    await settled(bob);
    clock.advance(200);
    await settled(ann);
    clock.advance(200);
    await settled(ann);
    // Within one second: at most one each 200 ms.
    expect(updatesOf(ann).length).toBeLessThanOrEqual(8);
    expect(updatesOf(ann).at(-1)?.[1].n).toBe(10_000);
    expect((await signedIn(await open(), as("ann"))).peers).toHaveLength(2);
  });
});

describe("the updates of one socket", () => {
  function create() {
    const clock = virtualClock();
    const sent: [string, unknown][][] = [];
    const outbox = { unsentBytes: 0, send: (frame: string) => void sent.push(JSON.parse(frame).data) };
    return { clock, sent, outbox, updates: createProfileUpdates(outbox, clock) };
  }

  test("are none while 64 KiB wait unsent, and then the newest of each peer", () => {
    const { clock, sent, outbox, updates } = create();
    outbox.unsentBytes = 64 * 1_024 + 1;
    for (let n = 0; n < 1_000; n++) {
      updates.add(`p${n % 2}`, `{"n":${n}}`);
      clock.advance(10);
    }
    expect(sent).toEqual([]);
    outbox.unsentBytes = 0;
    clock.advance(200);
    expect(sent).toEqual([
      [
        ["p0", { n: 998 }],
        ["p1", { n: 999 }],
      ],
    ]);
  });

  test("have at most 64 KiB in each batch, and all arrive", () => {
    const { clock, sent, updates } = create();
    const profile = JSON.stringify(sized(1_024));
    for (let n = 0; n < 1_000; n++) updates.add(`p${n}`, profile);
    clock.advance(200);
    expect(sent).toHaveLength(1);
    clock.advance(60_000);
    for (const batch of sent) expect(JSON.stringify(batch).length).toBeLessThanOrEqual(66 * 1_024);
    expect(new Set(sent.flat().map(([id]) => id)).size).toBe(1_000);
  });

  test("end with the socket, and leave out a peer that has gone", () => {
    const { clock, sent, updates } = create();
    updates.add("p1", "{}");
    updates.drop("p1");
    clock.advance(1_000);
    updates.add("p2", "{}");
    updates.stop();
    clock.advance(1_000);
    expect(sent).toEqual([]);
  });
});
