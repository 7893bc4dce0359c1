import { describe, expect, test } from "vitest";
import type { PeerId, PeerInfo, Profile } from "../../peer.ts";
import { accountsConformance } from "./conformance/accounts.ts";
import {
  connects,
  createDiscoveryFixture,
  type DiscoveryWorld,
  disconnects,
  isSignal,
  type Login,
} from "./conformance/fixture.ts";
import { roomsConformance } from "./conformance/rooms.ts";
import { createEventRecorder, type RecordedEvent } from "./event-recorder.ts";

/** What every discovery does, with a server or without. `start` makes a world for each test. */
export function discoveryConformance(
  name: string,
  { hasServer, start }: { readonly hasServer: boolean; readonly start: () => DiscoveryWorld | Promise<DiscoveryWorld> },
): void {
  describe(name, () => {
    const stage = createDiscoveryFixture(start);
    const { signIn } = stage;

    async function annAndBob(): Promise<[ann: Login, bob: Login]> {
      await stage.world.trust?.("ann", "bob", "bob", "ann");
      const ann = await signIn("ann");
      const bob = await signIn("bob");
      await ann.until(connects(bob.id));
      return [ann, bob];
    }

    describe("signing in", () => {
      test("returns the user name and a new id each time", async () => {
        const first = await signIn("ann");
        const second = await signIn("ann");
        expect(first.snapshot.self).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/), username: "ann" });
        expect(second.snapshot.self).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/), username: "ann" });
        expect(second.id).not.toBe(first.id);
      });

      test("emits nothing before open has returned", async () => {
        const recorder = createEventRecorder();
        stage.open(stage.world.credentials("ann"), recorder.events);
        expect(recorder.recorded).toEqual([]);
        await recorder.until(([event]) => event === "online");
      });

      test("lists the online peers, frozen, without this one", async () => {
        const [ann] = await annAndBob();
        const bob = await signIn("bob");
        expect(bob.snapshot.users).toEqual(["ann"]);
        expect(bob.snapshot.peers).toContainEqual({ name: "ann", id: ann.id });
        expect(bob.snapshot.peers.map(({ id }) => id)).not.toContain(bob.id);
        expect(bob.snapshot.peers.every(Object.isFrozen)).toBe(true);
      });

      test("that is cancelled emits nothing", async () => {
        const recorder = createEventRecorder();
        const session = stage.open(stage.world.credentials("ann"), recorder.events);
        await session.close();
        await signIn("ann");
        expect(recorder.recorded).toEqual([]);
      });
    });

    describe("presence", () => {
      test("logins of one account see each other as Us", async () => {
        const first = await signIn("ann");
        const second = await signIn("ann");
        expect(second.snapshot.peers).toEqual([{ name: "Us", id: first.id }]);
        expect(await first.until(connects(second.id))).toEqual(["peerConnect", { name: "Us", id: second.id }]);
      });

      test("users see every login of each other connect and disconnect", async () => {
        const [ann, bob] = await annAndBob();
        const another = await signIn("bob");
        expect(await ann.until(connects(another.id))).toEqual(["peerConnect", { name: "bob", id: another.id }]);
        await another.session.close();
        expect(await ann.until(disconnects(another.id))).toEqual(["peerDisconnect", another.id, false]);
        await bob.session.close();
        expect(await ann.until(disconnects(bob.id))).toEqual(["peerDisconnect", bob.id, false]);
      });

      test("a peer is announced once", async () => {
        const [ann, bob] = await annAndBob();
        const another = await signIn("bob");
        await ann.until(connects(another.id));
        expect(ann.recorded.filter(connects(bob.id))).toHaveLength(1);
      });

      test("after many simultaneous sign-ins and sign-outs the lists are correct", async () => {
        const watcher = await signIn("ann");
        const logins = await Promise.all(Array.from({ length: 8 }, () => signIn("ann")));
        await Promise.all(logins.slice(0, 4).map(({ session }) => session.close()));
        for (const { id } of logins) await watcher.until(connects(id));
        for (const { id } of logins.slice(0, 4)) await watcher.until(disconnects(id));
        const latecomer = await signIn("ann");
        const left = [watcher, ...logins.slice(4)].map(({ id }) => id);
        expect(latecomer.snapshot.peers.map(({ id }) => id).sort()).toEqual(left.sort());
      });
    });

    describe("profiles", () => {
      const avatar = (url: string) => ({ avatar: url }) as Profile;
      const isSame = (a: unknown, b: Profile) => JSON.stringify(a) === JSON.stringify(b);
      const isUpdateOf =
        (id: PeerId) =>
        ([event, peer]: RecordedEvent) =>
          event === "peerUpdate" && peer === id;
      /** Looks for an announcement of that profile, with its peer or later. */
      const says =
        (id: PeerId, profile: Profile) =>
        ([event, peer, said]: RecordedEvent) =>
          event === "peerConnect"
            ? (peer as PeerInfo).id === id && isSame((peer as PeerInfo).profile, profile)
            : event === "peerUpdate" && peer === id && isSame(said, profile);

      test("are announced, and listed", async () => {
        await stage.world.trust?.("ann", "bob", "bob", "ann");
        const ann = await signIn("ann", "", {});
        const bob = await signIn("bob", "", avatar("/bob.png"));
        await ann.until(says(bob.id, avatar("/bob.png")));
        const late = await signIn("ann", "", {});
        const listed = late.snapshot.peers.find(({ id }) => id === bob.id);
        // Without a server, peers may tell a little later.
        if (hasServer || listed?.profile !== undefined) expect(listed?.profile).toEqual(avatar("/bob.png"));
        else await late.until(says(bob.id, avatar("/bob.png")));
      });

      test("of a peer change, and the newest of many arrives", async () => {
        await stage.world.trust?.("ann", "bob", "bob", "ann");
        const [ann, bob] = [await signIn("ann", "", {}), await signIn("bob", "", avatar("/1.png"))];
        await ann.until(connects(bob.id));
        for (let n = 2; n <= 30; n++) expect(bob.session.setProfile?.(avatar(`/${n}.png`))).toBe(true);
        await ann.until(says(bob.id, avatar("/30.png")));
        bob.session.setProfile?.({});
        await ann.until(says(bob.id, {}));
        const late = await signIn("bob", "", {});
        expect(late.snapshot.peers.find(({ id }) => id === bob.id)?.profile ?? {}).toEqual({});
        expect(bob.recorded.filter(isUpdateOf(bob.id))).toEqual([]);
      });

      test("are not told to users without trust, or in another app", async () => {
        await stage.world.trust?.("ann", "bob", "bob", "ann");
        const strangers = [await signIn("cyd", hasServer ? "" : "other", {}), await signIn("ann", "other", {})];
        const [ann, bob] = [await signIn("ann", "", {}), await signIn("bob", "", avatar("/1.png"))];
        bob.session.setProfile?.(avatar("/2.png"));
        await ann.until(says(bob.id, avatar("/2.png")));
        expect(strangers.flatMap(({ recorded }) => recorded).filter(isUpdateOf(bob.id))).toEqual([]);
      });
    });

    describe("signals", () => {
      test("arrive unchanged, with their real sender", async () => {
        const [ann, bob] = await annAndBob();
        const signal = { attempt: 1, from: "somebody else", list: [null, true, "é"] };
        ann.session.signal("peerRequest", bob.id, signal);
        expect(await bob.until(isSignal)).toEqual(["signal", "peerRequest", ann.id, signal]);
        bob.session.signal("peerResponse", ann.id, "well");
        expect(await ann.until(isSignal)).toEqual(["signal", "peerResponse", bob.id, "well"]);
      });

      test("arrive in order, and only at their receiver", async () => {
        const [ann, bob] = await annAndBob();
        const other = await signIn("bob");
        const count = 50;
        for (let n = 1; n <= count; n++) ann.session.signal("peerRequest", bob.id, n);
        await bob.until((event) => isSignal(event) && event[3] === count);
        expect(bob.recorded.filter(isSignal).map((event) => event[3])).toEqual(
          Array.from({ length: count }, (_, n) => n + 1),
        );
        expect(other.recorded.filter(isSignal)).toEqual([]);
      });

      test("to a peer that is not online emit unreachable", async () => {
        const [ann, bob] = await annAndBob();
        await bob.session.close();
        await ann.until(disconnects(bob.id));
        const invented = "0".repeat(32);
        ann.session.signal("peerRequest", bob.id, "hello");
        ann.session.signal("peerRequest", invented, "hello");
        await ann.until(([event, to]) => event === "unreachable" && to === bob.id);
        await ann.until(([event, to]) => event === "unreachable" && to === invented);
      });
    });

    describe("closing", () => {
      test("emits nothing, and returns the same promise again", async () => {
        const [ann, bob] = await annAndBob();
        const before = ann.recorded.length;
        await Promise.all([ann.session.close(), ann.session.close()]);
        await bob.until(disconnects(ann.id));
        expect(ann.recorded).toHaveLength(before);
      });

      test("makes requests fail", async () => {
        const ann = await signIn("ann");
        await ann.session.close();
        const code = hasServer ? "not-connected" : "unsupported";
        await expect(ann.session.invite("dan@example.org")).rejects.toMatchObject({ code });
        expect(() => ann.session.signal("peerRequest", "0".repeat(32), "hello")).not.toThrow();
      });
    });

    roomsConformance(stage);

    if (hasServer) {
      describe("with a server", () => accountsConformance(stage));
    } else {
      describe("without a server", () => {
        test("requests about trust are unsupported", async () => {
          const { session } = await signIn("ann");
          const unsupported = expect.objectContaining({
            code: "unsupported",
            message: expect.stringContaining("server"),
          });
          await expect(session.invite("dan@example.org")).rejects.toEqual(unsupported);
          await expect(session.requestToken("Dan")).rejects.toEqual(unsupported);
          await expect(session.claimToken("Dan", "token")).rejects.toEqual(unsupported);
          await expect(session.removeUser("Dan")).rejects.toEqual(unsupported);
          await expect(session.changePassword("old", "new")).rejects.toEqual(unsupported);
        });
      });
    }
  });
}
