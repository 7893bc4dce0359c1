import * as v from "valibot";
import { describe, expect, test, vi } from "vitest";
import { type Client, createClient } from "./client.ts";
import type { DiscoverySession } from "./discovery/discovery.ts";
import { createMemoryDiscovery } from "./discovery/memory.ts";
import type { Peer, PeerId, Profile } from "./peer.ts";
import { createOwnProfile, createProfileReader } from "./profiles.ts";
import { createNetwork } from "./testing/network.ts";
import { createVirtualClock } from "./testing/virtual-clock.ts";

const profileOf = (fields: object) => fields as Profile;

function world() {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latency: 5 });
  async function signIn(name: string, options = {}): Promise<Client> {
    const client = network.client(name, options);
    const signedIn = client.connect("test", name, "");
    await clock.advance(50);
    await signedIn;
    return client;
  }
  return { clock, network, signIn };
}

describe("a client's profile", () => {
  test("is there when its peer is announced, and in the lists of those who come later", async () => {
    const { clock, signIn } = world();
    const bob = await signIn("bob");
    const announced: Peer[] = [];
    bob.on("peerconnect", (peer) => announced.push(peer));
    await signIn("ann", { profile: { avatar: "/ann.png" } });
    const cid = await signIn("cid");
    await clock.advance(50);
    expect(announced[0]).toMatchObject({ name: "ann", profile: { avatar: "/ann.png" } });
    expect(cid.get("ann").peers.peek()).toMatchObject([{ profile: { avatar: "/ann.png" } }]);
    expect(bob.get("cid").peers.peek()).toMatchObject([{ profile: {} }]);
  });

  test("changes for others: a new object in the lists, and one event", async () => {
    const { clock, signIn } = world();
    const [ann, bob] = [await signIn("ann", { profile: { status: "here" } }), await signIn("bob")];
    const events: unknown[] = [];
    for (const event of ["peerconnect", "peerdisconnect", "peerupdate"] as const) {
      bob.on(event, (peer: Peer | PeerId) => events.push([event, peer]));
    }
    const before = bob.peers.peek();
    await ann.setProfile(profileOf({ status: "away" }));
    await clock.advance(50);
    const [peer] = bob.peers.peek();
    expect(peer).toMatchObject({ id: ann.getId(), name: "ann", profile: { status: "away" } });
    expect([Object.isFrozen(peer), Object.isFrozen(peer?.profile), bob.peers.peek() === before]).toEqual([
      true,
      true,
      false,
    ]);
    expect(events).toEqual([["peerupdate", peer]]);
    expect(before[0]?.profile).toEqual({ status: "here" });
    void ann.setProfile(profileOf({ status: "away" }));
    await clock.advance(500);
    expect(events).toHaveLength(1);
  });

  test("can change before the sign-in and during an outage", async () => {
    const { clock, network, signIn } = world();
    const bob = await signIn("bob");
    const ann = network.client("ann");
    await ann.setProfile(profileOf({ n: 1 }));
    void ann.connect("test", "ann", "");
    await clock.advance(50);
    expect(bob.peers.peek()).toMatchObject([{ profile: { n: 1 } }]);
    network.discovery.interrupt(ann.getId());
    const changing = ann.setProfile(profileOf({ n: 2 }));
    await clock.advance(1_000);
    await changing;
    expect(bob.peers.peek()).toMatchObject([{ profile: { n: 1 } }]);
    network.discovery.restore(ann.getId());
    await clock.advance(50);
    expect(bob.peers.peek()).toMatchObject([{ profile: { n: 2 } }]);
    network.discovery.interrupt();
    network.discovery.restore();
    await clock.advance(50);
    expect(bob.peers.peek()).toMatchObject([{ profile: { n: 2 } }]);
  });

  test("can change while the client signs in", async () => {
    const { clock, network, signIn } = world();
    const bob = await signIn("bob");
    const ann = network.client("ann", { profile: profileOf({ n: 1 }) });
    void ann.connect("test", "ann", "");
    await clock.advance(7);
    void ann.setProfile(profileOf({ n: 2 }));
    await clock.advance(500);
    expect(bob.peers.peek()).toMatchObject([{ profile: { n: 2 } }]);
  });

  test("is a copy", async () => {
    const { clock, signIn } = world();
    const given = { list: [1] };
    const [, bob] = [await signIn("ann", { profile: given }), await signIn("bob")];
    given.list.push(2);
    await clock.advance(500);
    expect(bob.peers.peek()).toMatchObject([{ profile: { list: [1] } }]);
  });

  test("that is none is refused, and nothing changes", async () => {
    const { clock, signIn } = world();
    const [ann, bob] = [await signIn("ann", { profile: { n: 1 } }), await signIn("bob")];
    for (const [wrong, code] of [
      [null, "invalid-request"],
      [[], "invalid-request"],
      [{ a: 1n }, "invalid-request"],
      [JSON.parse('{"__proto__":{}}'), "invalid-request"],
      [{ a: "x".repeat(1_017) }, "too-large"],
    ] as const) {
      await expect(ann.setProfile(wrong as Profile)).rejects.toMatchObject({ code });
      expect(() => createClient({ profile: wrong as Profile })).toThrow(expect.objectContaining({ code }));
    }
    await ann.setProfile(profileOf({ a: "x".repeat(1_016) }));
    await clock.advance(50);
    expect(JSON.stringify(bob.peers.peek()[0]?.profile)).toHaveLength(1_024);
  });

  test("of ten thousand in a second is sent at most once every 200 ms, and the newest arrives", async () => {
    const clock = createVirtualClock();
    const sent: { readonly n: unknown; readonly at: number }[] = [];
    const own = createOwnProfile({}, clock, (profile) => {
      sent.push({ n: (profile as { n?: number }).n, at: clock.now() });
      return true;
    });
    for (let n = 1; n <= 10_000; n++) {
      void own.set(profileOf({ n }));
      if (n % 10 === 0) await clock.advance(1);
    }
    await clock.advance(400);
    expect(sent.length).toBeLessThanOrEqual(7);
    expect(sent.every(({ at }, index) => index === 0 || at - sent[index - 1]!.at >= 200)).toBe(true);
    expect(sent.at(-1)?.n).toBe(10_000);
  });

  test("that was sent while another socket signed in is sent again, since that socket's first frame has an older one", async () => {
    const sent: Profile[] = [];
    const own = createOwnProfile({}, createVirtualClock(), (profile) => {
      sent.push(profile);
      return true;
    });
    expect(own.read()).toEqual({});
    own.onOnline();
    own.read();
    await own.set(profileOf({ n: 1 }));
    own.onOnline();
    expect(sent).toEqual([{ n: 1 }, { n: 1 }]);
    expect(own.read()).toEqual({ n: 1 });
    own.onOnline();
    expect(sent).toHaveLength(2);
  });

  test("cannot be changed at a server without profiles, which everything else works with", async () => {
    const network = createNetwork();
    const memory = network.discovery;
    network.client("ann");
    const discovery = {
      open(...args: Parameters<typeof memory.open>): DiscoverySession {
        const { setProfile: _, ...session } = memory.open(args[0], args[1], args[2], { app: "" });
        return session;
      },
    };
    const ann = createClient({ discovery, profile: profileOf({ n: 1 }) });
    await ann.connect("test", "ann", "");
    await expect(ann.setProfile(profileOf({ n: 2 }))).rejects.toMatchObject({ code: "unsupported" });
    await ann.disconnect();
  });
});

describe("links and calls of a peer whose profile changes", () => {
  test("go on, with the same permissions, and handlers get the newest profile", async () => {
    const { clock, signIn } = world();
    const [ann, bob] = [await signIn("ann"), await signIn("bob")];
    const seen: unknown[] = [];
    bob.module("Whoami", ({ peer }) => seen.push(peer.profile), { allow: { user: "ann" } });
    const visits: AbortSignal[] = [];
    bob.get("*").each((_, signal) => visits.push(signal));
    const links: string[] = [];
    ann.link(bob.getId() ?? "").subscribe(({ status }) => links.push(status));
    for (let n = 0; n < 3; n++) {
      const reply = ann.get("bob").call("Whoami").all();
      await clock.advance(300);
      expect(await reply).toMatchObject([{ status: "fulfilled" }]);
      void ann.setProfile(profileOf({ n }));
      void bob.setProfile(profileOf({ n }));
      await clock.advance(300);
    }
    expect(seen).toEqual([{}, { n: 0 }, { n: 1 }]);
    expect(visits.map(({ aborted }) => aborted)).toEqual([false]);
    expect([...new Set(links)]).toEqual(["idle", "connecting", "open"]);
  });

  test("a peer that loses the trust behind a permission is refused, whatever its profile", async () => {
    const { clock, network, signIn } = world();
    const [ann, bob] = [await signIn("ann"), await signIn("bob")];
    bob.module("Any", () => "answer", { allow: { user: "cid" } });
    await ann.setProfile(profileOf({ name: "cid", id: "cid" }));
    await clock.advance(50);
    const reply = ann.get("bob").call("Any").all();
    await clock.advance(300);
    expect(await reply).toMatchObject([{ error: { code: "forbidden" } }]);
    network.discovery.distrust("ann", "bob");
    await clock.advance(50);
    expect(bob.peers.peek()).toEqual([]);
  });
});

describe("others' profiles", () => {
  const schema = v.object({ avatar: v.pipe(v.string(), v.startsWith("/")) });
  const read = (given: unknown, profileSchema: Parameters<typeof createProfileReader>[0]) => {
    const errors: string[] = [];
    const reader = createProfileReader(profileSchema, (_, { code }) => errors.push(code));
    const peer = { id: "p1", name: "Eve", profile: given };
    const text = reader.encode(peer);
    return { profile: text === "{}" ? {} : reader.validate(peer, text), errors };
  };

  test("are what the schema makes of them, and frozen", () => {
    const { profile, errors } = read({ avatar: "/eve.png", more: [{}] }, schema);
    expect([profile, errors]).toEqual([{ avatar: "/eve.png" }, []]);
    const { profile: unchecked } = read({ more: [{ deep: {} }] }, undefined);
    const { more } = unchecked as { more: { deep: object }[] };
    expect([unchecked, more, more[0], more[0]?.deep].every(Object.isFrozen)).toBe(true);
  });

  test.for([
    ["does not fit the schema", { avatar: "javascript:alert(1)" }, schema, "invalid-response"],
    ["is no object", "profile", undefined, "invalid-request"],
    ["has __proto__", JSON.parse('{"__proto__":{"avatar":"/a"}}'), schema, "invalid-request"],
    ["is too large", { avatar: `/${"a".repeat(1_024)}` }, schema, "too-large"],
    ["makes the schema throw", { a: 1 }, throwing(), "invalid-response"],
  ] as const)("read as {} where one %s, which is told", ([, given, profileSchema, code]) => {
    expect(read(given, profileSchema)).toEqual({ profile: {}, errors: [code] });
  });

  test("read as {} of a peer that says nothing, which is no fault", () => {
    expect(read(undefined, schema)).toEqual({ profile: {}, errors: [] });
  });

  test("may have bytes that the schema decoded, although these cannot be frozen", () => {
    const avatar = new Uint8Array([1, 2]);
    const decoding = v.pipe(
      v.any(),
      v.transform(() => ({ avatar })),
    );
    expect(read({ avatar: "AQI=" }, decoding)).toEqual({ profile: { avatar }, errors: [] });
  });

  test("read as {} where the schema returns no object, so that a view can read its fields", () => {
    for (const output of [null, undefined, 5]) {
      const { profile } = read(
        { a: 1 },
        v.pipe(
          v.any(),
          v.transform(() => output),
        ),
      );
      expect(Object.keys(profile)).toEqual([]);
      expect((profile as { avatar?: string }).avatar).toBeUndefined();
    }
  });

  test("of a schema that takes time come later, and are validated once", async () => {
    const { clock, network, signIn } = world();
    const validate = vi.fn(async ({ n }: { n: number }) => n > 0);
    const profileSchema = v.pipeAsync(v.object({ n: v.number() }), v.checkAsync(validate));
    const bob = await signIn("bob", { profileSchema });
    const ann = network.client("ann", { profile: profileOf({ n: 1 }) });
    const profiles: Profile[] = [];
    for (const event of ["peerconnect", "peerupdate"] as const) bob.on(event, ({ profile }) => profiles.push(profile));
    const errors: unknown[] = [];
    bob.on("error", ({ code, message }) => errors.push([code, message]));
    void ann.connect("test", "ann", "");
    await clock.advance(50);
    expect(profiles).toEqual([{}, { n: 1 }]);
    expect(validate).toHaveBeenCalledTimes(1);
    void ann.setProfile(profileOf({ n: -1 }));
    await clock.advance(50);
    expect(profiles.at(-1)).toEqual({});
    expect(errors).toEqual([["invalid-response", expect.stringContaining('profile of "ann"')]]);
  });

  test("that are invalid become one error a second for each peer", async () => {
    const { clock, signIn } = world();
    const bob = await signIn("bob", { profileSchema: schema });
    const ann = await signIn("ann");
    const errors: unknown[] = [];
    bob.on("error", (error) => errors.push(error));
    for (let n = 0; n < 50; n++) {
      void ann.setProfile(profileOf({ n }));
      await clock.advance(100);
    }
    expect(errors.length).toBeGreaterThan(1);
    expect(errors.length).toBeLessThanOrEqual(6);
    expect(bob.peers.peek()).toMatchObject([{ profile: {} }]);
  });

  test("may come from a server with any content", async () => {
    const memory = createMemoryDiscovery();
    memory.addUser("bob", "");
    const hostile: unknown[] = [null, 5, "x", [], { a: "x".repeat(2_000) }, JSON.parse('{"__proto__":{"a":1}}')];
    const discovery: typeof memory = {
      ...memory,
      open: (host, credentials, events, settings) =>
        memory.open(
          host,
          credentials,
          {
            ...events,
            online(snapshot) {
              const peers = hostile.map((profile, index) => ({ id: `p${index}`, name: "Us", profile }));
              events.online({ ...snapshot, peers });
              for (const [index, profile] of hostile.entries()) events.peerUpdate(`p${index}`, profile);
              events.peerUpdate("unknown", {});
            },
          },
          settings,
        ),
    };
    const bob = createClient({ discovery });
    const errors: unknown[] = [];
    bob.on("error", ({ code }) => errors.push(code));
    await bob.connect("test", "bob", "");
    expect(bob.peers.peek().map(({ profile }) => profile)).toEqual(hostile.map(() => ({})));
    expect(errors).toEqual([...Array(4).fill("invalid-request"), "too-large", "invalid-request"]);
    await bob.disconnect();
  });
});

function throwing() {
  return v.pipe(
    v.any(),
    v.transform(() => {
      throw new Error("the app's own fault");
    }),
  );
}
