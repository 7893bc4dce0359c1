import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Alias, PeerId } from "../peer.ts";
import type { Credentials, Discovery, DiscoverySession, Snapshot } from "./discovery.ts";
import { createRecorder, type Recorder } from "./recorder.ts";

/** A world that a discovery is tried in: users `ann`, `bob` and `cyd`, none of whom trusts another yet. */
export interface DiscoveryWorld {
  readonly host: string;
  /** A discovery of its own for each login, as each page has one. */
  discovery(): Discovery;
  credentials(username: string): Credentials;
  /** Without a server users know each other anyway, by their names. */
  trust?(a: string, aliasOfB: Alias, b: string, aliasOfA: Alias): void | Promise<void>;
  close(): void | Promise<void>;
}

interface Login extends Recorder {
  readonly session: DiscoverySession;
  readonly id: PeerId;
  readonly snapshot: Snapshot;
}

/** What every discovery does, with a server or without. `start` makes a world for each test. */
export function discoveryConformance(
  name: string,
  { hasServer, start }: { readonly hasServer: boolean; readonly start: () => DiscoveryWorld | Promise<DiscoveryWorld> },
): void {
  describe(name, () => {
    let world: DiscoveryWorld;
    const open: DiscoverySession[] = [];

    beforeEach(async () => {
      world = await start();
    });
    afterEach(async () => {
      await Promise.all(open.splice(0).map((session) => session.close()));
      await world.close();
    });

    async function signIn(username: string): Promise<Login> {
      const recorder = createRecorder();
      const session = world.discovery().open(world.host, world.credentials(username), recorder.events);
      open.push(session);
      const [outcome, snapshot] = await recorder.until(([event]) => event === "online" || event === "ended");
      expect(outcome).toBe("online");
      return { ...recorder, session, snapshot: snapshot as Snapshot, id: (snapshot as Snapshot).self.id };
    }

    async function annAndBob(): Promise<[ann: Login, bob: Login]> {
      await world.trust?.("ann", "bob", "bob", "ann");
      const ann = await signIn("ann");
      const bob = await signIn("bob");
      await ann.until(connects(bob.id));
      return [ann, bob];
    }

    describe("signing in", () => {
      test("tells who we are, under a new id each time", async () => {
        const first = await signIn("ann");
        const second = await signIn("ann");
        expect(first.snapshot.self).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/), username: "ann" });
        expect(second.snapshot.self).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/), username: "ann" });
        expect(second.id).not.toBe(first.id);
        expect(first.snapshot.resumed).toBe(false);
      });

      test("tells nothing before open has returned", async () => {
        const recorder = createRecorder();
        open.push(world.discovery().open(world.host, world.credentials("ann"), recorder.events));
        expect(recorder.told).toEqual([]);
        await recorder.until(([event]) => event === "online");
      });

      test("lists who is online already, frozen, and never ourselves", async () => {
        const [ann] = await annAndBob();
        const bob = await signIn("bob");
        expect(bob.snapshot.users).toEqual(["ann"]);
        expect(bob.snapshot.peers).toContainEqual({ name: "ann", id: ann.id });
        expect(bob.snapshot.peers.map(({ id }) => id)).not.toContain(bob.id);
        expect(bob.snapshot.peers.every(Object.isFrozen)).toBe(true);
      });

      test("that is broken off tells nothing", async () => {
        const recorder = createRecorder();
        const session = world.discovery().open(world.host, world.credentials("ann"), recorder.events);
        await session.close();
        await signIn("ann");
        expect(recorder.told).toEqual([]);
      });
    });

    describe("presence", () => {
      test("our own other logins are Us to each other", async () => {
        const first = await signIn("ann");
        const second = await signIn("ann");
        expect(second.snapshot.peers).toEqual([{ name: "Us", id: first.id }]);
        expect(await first.until(connects(second.id))).toEqual(["peerConnect", { name: "Us", id: second.id }]);
      });

      test("users see every login of each other come and go", async () => {
        const [ann, bob] = await annAndBob();
        const another = await signIn("bob");
        expect(await ann.until(connects(another.id))).toEqual(["peerConnect", { name: "bob", id: another.id }]);
        await another.session.close();
        expect(await ann.until(disconnects(another.id))).toEqual(["peerDisconnect", another.id, false]);
        await bob.session.close();
        expect(await ann.until(disconnects(bob.id))).toEqual(["peerDisconnect", bob.id, false]);
      });

      test("a peer is told once", async () => {
        const [ann, bob] = await annAndBob();
        const another = await signIn("bob");
        await ann.until(connects(another.id));
        expect(ann.told.filter(connects(bob.id))).toHaveLength(1);
      });

      test("many who sign in and out at once leave true lists behind", async () => {
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

    describe("signals", () => {
      test("arrive as they were, with who they are truly from", async () => {
        const [ann, bob] = await annAndBob();
        const signal = { attempt: 1, from: "somebody else", list: [null, true, "é"] };
        ann.session.signal("peerRequest", bob.id, signal);
        expect(await bob.until(isSignal)).toEqual(["signal", "peerRequest", ann.id, signal]);
        bob.session.signal("peerResponse", ann.id, "well");
        expect(await ann.until(isSignal)).toEqual(["signal", "peerResponse", bob.id, "well"]);
      });

      test("arrive in the order in which they were sent, and only where they were sent to", async () => {
        const [ann, bob] = await annAndBob();
        const other = await signIn("bob");
        const count = 50;
        for (let n = 1; n <= count; n++) ann.session.signal("peerRequest", bob.id, n);
        await bob.until((told) => isSignal(told) && told[3] === count);
        expect(bob.told.filter(isSignal).map((told) => told[3])).toEqual(
          Array.from({ length: count }, (_, n) => n + 1),
        );
        expect(other.told.filter(isSignal)).toEqual([]);
      });

      test("to nobody who is there come back as unreachable", async () => {
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
      test("is told to nobody here, and is the same when asked for again", async () => {
        const [ann, bob] = await annAndBob();
        const before = ann.told.length;
        await Promise.all([ann.session.close(), ann.session.close()]);
        await bob.until(disconnects(ann.id));
        expect(ann.told).toHaveLength(before);
      });

      test("leaves nothing to ask", async () => {
        const ann = await signIn("ann");
        await ann.session.close();
        const code = hasServer ? "not-connected" : "unsupported";
        await expect(ann.session.invite("dan@example.org")).rejects.toMatchObject({ code });
        expect(() => ann.session.signal("peerRequest", "0".repeat(32), "hello")).not.toThrow();
      });
    });

    describe.skipIf(hasServer)("without a server", () => {
      test("there is nobody to ask for trust", async () => {
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

    describe.runIf(hasServer)("with a server", () => {
      async function trustByToken(): Promise<[ann: Login, bob: Login]> {
        const ann = await signIn("ann");
        const bob = await signIn("bob");
        const { token } = await ann.session.requestToken("Robert");
        await bob.session.claimToken("Annie", token);
        await ann.until(connects(bob.id));
        return [ann, bob];
      }

      test("a wrong password is refused", async () => {
        const recorder = createRecorder();
        const credentials = { username: "ann", password: "a wrong guess" };
        open.push(world.discovery().open(world.host, credentials, recorder.events));
        expect(await recorder.until(() => true)).toEqual(["ended", "unauthenticated"]);
      });

      test("who does not trust each other neither sees nor reaches each other", async () => {
        const ann = await signIn("ann");
        const bob = await signIn("bob");
        expect(bob.snapshot).toMatchObject({ users: [], peers: [] });
        bob.session.signal("peerRequest", ann.id, "hello");
        expect(await bob.until(([event]) => event === "unreachable")).toEqual(["unreachable", ann.id]);
        expect(ann.told.filter(isSignal)).toEqual([]);
      });

      test("a token makes two users known to each other, each by the other's name for it, users before their peers", async () => {
        const [ann, bob] = await trustByToken();
        expect(bob.told.slice(-2)).toEqual([
          ["userAdd", "Annie"],
          ["peerConnect", { name: "Annie", id: ann.id }],
        ]);
        expect(ann.told.slice(-2)).toEqual([
          ["userAdd", "Robert"],
          ["peerConnect", { name: "Robert", id: bob.id }],
        ]);
      });

      test("a token works once, for a while, and not for its maker", async () => {
        const ann = await signIn("ann");
        const bob = await signIn("bob");
        const cyd = await signIn("cyd");
        const { token, expires } = await ann.session.requestToken("Robert");
        expect(expires.getTime()).toBeGreaterThan(Date.now());
        await expect(ann.session.claimToken("Myself", token)).rejects.toMatchObject({ code: "token-invalid" });
        await bob.session.claimToken("Annie", token);
        await expect(cyd.session.claimToken("Annie", token)).rejects.toMatchObject({ code: "token-invalid" });
      });

      test("a newer token for the same name ends the older", async () => {
        const ann = await signIn("ann");
        const bob = await signIn("bob");
        const older = await ann.session.requestToken("Robert");
        const newer = await ann.session.requestToken("Robert");
        await expect(bob.session.claimToken("Annie", older.token)).rejects.toMatchObject({ code: "token-invalid" });
        await bob.session.claimToken("Annie", newer.token);
      });

      test("a name that is reserved, taken or unknown is refused as such", async () => {
        const [ann] = await trustByToken();
        await expect(ann.session.requestToken("Us")).rejects.toMatchObject({ code: "alias-reserved" });
        await expect(ann.session.requestToken("0".repeat(32))).rejects.toMatchObject({ code: "alias-reserved" });
        await expect(ann.session.requestToken("Robert")).rejects.toMatchObject({ code: "alias-taken" });
        await expect(ann.session.removeUser("__proto__")).rejects.toMatchObject({ code: "alias-unknown" });
      });

      test("the end of trust takes the peers from both sides, then the users, and the relay with them", async () => {
        const [ann, bob] = await trustByToken();
        await ann.session.removeUser("Robert");
        await bob.until(([event]) => event === "userRemove");
        expect(ann.told.slice(-2)).toEqual([
          ["peerDisconnect", bob.id, false],
          ["userRemove", "Robert"],
        ]);
        expect(bob.told.slice(-2)).toEqual([
          ["peerDisconnect", ann.id, false],
          ["userRemove", "Annie"],
        ]);
        bob.session.signal("peerRequest", ann.id, "hello");
        await bob.until(([event]) => event === "unreachable");
      });

      test("a changed password ends every other session of the account, and a wrong one changes nothing", async () => {
        const { password } = world.credentials("ann") as { password: string };
        const ann = await signIn("ann");
        const other = await signIn("ann");
        const wrong = ann.session.changePassword("a wrong guess", "correct horse battery");
        await expect(wrong).rejects.toMatchObject({ code: "unauthenticated" });
        await ann.session.changePassword(password, "correct horse battery");
        expect(await other.until(([event]) => event === "ended")).toEqual(["ended", "unauthenticated"]);
        await ann.until(disconnects(other.id));
      });

      test("an invitation is answered alike, whether or not the address has an account", async () => {
        const ann = await signIn("ann");
        await ann.session.invite("new@example.org");
        await ann.session.invite("new@example.org");
      });
    });
  });
}

const connects =
  (id: PeerId) =>
  ([event, peer]: readonly unknown[]): boolean =>
    event === "peerConnect" && (peer as { id: PeerId }).id === id;

const disconnects =
  (id: PeerId) =>
  ([event, gone]: readonly unknown[]): boolean =>
    event === "peerDisconnect" && gone === id;

const isSignal = ([event]: readonly unknown[]): boolean => event === "signal";
