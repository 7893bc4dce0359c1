import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Store } from "./store.ts";

/** Opens an empty store; `reopen` opens the same data again, as another process would. */
export interface StoreUnderTest {
  readonly store: Store;
  reopen(): Promise<Store>;
  dispose(): Promise<void>;
}

/** The conformance suite of all stores. */
export function describeStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`the ${name} store`, () => {
    let under: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.dispose());

    async function accounts(...names: string[]): Promise<void> {
      for (const name of names) await store.addAccount(name, `hash of ${name}`);
    }

    test("an account is found by its name, and names are unique", async () => {
      expect(await store.addAccount("ann", "h1")).toBe(true);
      expect(await store.addAccount("ann", "h2")).toBe(false);
      expect(await store.account("ann")).toEqual({ username: "ann", password: "h1" });
      expect(await store.account("bob")).toBeUndefined();
    });

    test("an account may have no password", async () => {
      await store.addAccount("ann", undefined);
      expect(await store.account("ann")).toEqual({ username: "ann", password: undefined });
    });

    test("names such as __proto__ are valid", async () => {
      await accounts("__proto__", "constructor");
      await store.trust("__proto__", "toString", "constructor", "hasOwnProperty");
      expect(await store.trusted("__proto__")).toEqual([{ username: "constructor", alias: "toString" }]);
    });

    test("reopening the store keeps all accounts", async () => {
      await accounts("ann");
      const again = await under.reopen();
      expect(await again.account("ann")).toEqual({ username: "ann", password: "hash of ann" });
      await again.close();
    });

    test("a password is replaced only while the checked one is current", async () => {
      await accounts("ann");
      expect(await store.rehash("ann", "something else", "h2")).toBe(false);
      expect(await store.rehash("ann", "hash of ann", "h2")).toBe(true);
      expect((await store.account("ann"))?.password).toBe("h2");
    });

    test("a session is found by the hash of its secret until it was seen too long ago", async () => {
      await accounts("ann");
      const session = { hash: "s", username: "ann", peer: "p", app: "todo", seen: 100 };
      await store.addSession(session);
      expect(await store.session("s", 99)).toEqual(session);
      expect(await store.session("s", 100)).toBeUndefined();
      await store.seen(["p"], 200);
      expect(await store.session("s", 100)).toEqual({ ...session, seen: 200 });
      await store.endSession("p");
      expect(await store.session("s", 0)).toBeUndefined();
    });

    test("a guest is found by the hash of its secret until it was seen too long ago, and needs no account", async () => {
      const guest = { hash: "s", peer: "p", group: "r:todo:abc", name: "Zoë \u{1F600}", seen: 100 };
      await store.addGuest!(guest);
      expect(await store.guest!("s", 99)).toEqual(guest);
      expect(await store.guest!("s", 100)).toBeUndefined();
      expect(await store.session("s", 0)).toBeUndefined();
      await store.seen(["p"], 200);
      expect(await store.guest!("s", 100)).toEqual({ ...guest, seen: 200 });
      expect(await store.sessionsOf(["p", "q"])).toEqual(new Set(["p"]));
      await store.endSession("p");
      expect(await store.guest!("s", 0)).toBeUndefined();
      expect(await store.sessionsOf(["p"])).toEqual(new Set());
    });

    test("a session is added only while the checked password is current", async () => {
      await accounts("ann");
      const session = { hash: "s", username: "ann", peer: "p", app: "", seen: 1 };
      expect(await store.addSession(session, "another hash")).toBe(false);
      expect(await store.session("s", 0)).toBeUndefined();
      expect(await store.addSession(session, "hash of ann")).toBe(true);
      expect(await store.session("s", 0)).toEqual(session);
      expect((await store.account("ann"))?.password).toBe("hash of ann");
    });

    test("above the limit of sessions of an account, the least recently seen end", async () => {
      await accounts("ann", "bob");
      const begin = (username: string, peer: string, seen: number) =>
        store.addSession({ hash: `h-${peer}`, username, peer, seen }, undefined, 3);
      for (const [peer, seen] of [
        ["p1", 4],
        ["p2", 1],
        ["p3", 3],
      ] as const)
        await begin("ann", peer, seen);
      await begin("bob", "p4", 0);
      await begin("ann", "p5", 2);
      const peers = ["p1", "p2", "p3", "p4", "p5"];
      expect(await store.sessionsOf(peers)).toEqual(new Set(["p1", "p3", "p4", "p5"]));
      await begin("ann", "p6", 0);
      expect(await store.sessionsOf([...peers, "p6"])).toEqual(new Set(["p1", "p3", "p4", "p6"]));
    });

    test("more sessions than the engine's parameter limit can be read and updated in one call", async () => {
      await accounts("ann");
      const peers = Array.from({ length: 1_200 }, (_, at) => `p${at}`);
      for (const peer of peers.slice(0, 600)) {
        await store.addSession({ hash: `h-${peer}`, username: "ann", peer, seen: 1 });
      }
      await store.seen(peers, 2);
      expect([...(await store.sessionsOf(peers))].sort()).toEqual(peers.slice(0, 600).sort());
      expect((await store.session("h-p599", 1))?.seen).toBe(2);
    });

    test("a changed password ends every other session and renews the secret of its own", async () => {
      await accounts("ann", "bob");
      for (const [peer, username] of [
        ["p1", "ann"],
        ["p2", "ann"],
        ["p3", "bob"],
      ] as const)
        await store.addSession({ hash: `s-${peer}`, username, peer, seen: 1 });
      expect(await store.changePassword("ann", "hash of ann", "new", { peer: "p1", hash: "s-new" })).toBe(true);
      expect(await store.sessionsOf(["p1", "p2", "p3"])).toEqual(new Set(["p1", "p3"]));
      expect(await store.session("s-p1", 0)).toBeUndefined();
      expect((await store.session("s-new", 0))?.peer).toBe("p1");
      expect(await store.changePassword("ann", "hash of ann", "late", { peer: "p1", hash: "x" })).toBe(false);
      expect((await store.session("s-new", 0))?.peer).toBe("p1");
    });

    test("trust is mutual, with an alias for each side", async () => {
      await accounts("ann", "bob");
      expect(await store.trust("ann", "Bob", "bob", "Ann")).toEqual({ other: "bob" });
      expect(await store.trusted("ann")).toEqual([{ username: "bob", alias: "Bob" }]);
      expect(await store.trusted("bob")).toEqual([{ username: "ann", alias: "Ann" }]);
    });

    test("a user cannot trust itself or a user twice, and an alias means one user", async () => {
      await accounts("ann", "bob", "cat");
      await store.trust("ann", "Bob", "bob", "Ann");
      expect(await store.trust("ann", "Me", "ann", "Me too")).toEqual({ refused: "token-invalid" });
      expect(await store.trust("bob", "Annie", "ann", "Bobby")).toEqual({ refused: "token-invalid" });
      expect(await store.trust("ann", "Bob", "cat", "Ann")).toEqual({ refused: "alias-taken" });
      expect(await store.trust("cat", "Ann", "ann", "Bob")).toEqual({ refused: "alias-taken" });
      expect(await store.trusted("cat")).toEqual([]);
    });

    test("ended trust ends on both sides, and its aliases are free again", async () => {
      await accounts("ann", "bob");
      await store.trust("ann", "Bob", "bob", "Ann");
      expect(await store.untrust("bob", "Bob")).toBeUndefined();
      expect(await store.untrust("bob", "Ann")).toBe("ann");
      expect([await store.trusted("ann"), await store.trusted("bob")]).toEqual([[], []]);
      expect(await store.trust("ann", "Bob", "bob", "Ann")).toEqual({ other: "bob" });
    });

    test("a removed account takes its sessions, tokens and trust with it", async () => {
      await accounts("ann", "bob");
      await store.trust("ann", "Bob", "bob", "Ann");
      await store.addSession({ hash: "s", username: "ann", peer: "p", seen: 1 });
      await store.addToken({ hash: "t", owner: "ann", alias: "Cat", expires: 9 });
      expect(await store.removeAccount("ann")).toEqual(["bob"]);
      expect(await store.removeAccount("ann")).toBeUndefined();
      expect(await store.session("s", 0)).toBeUndefined();
      expect(await store.trusted("bob")).toEqual([]);
      expect(await store.claimToken("t", "bob", "Ann", 0)).toEqual({ refused: "token-invalid" });
    });

    test("a token creates trust once", async () => {
      await accounts("ann", "bob", "cat");
      expect(await store.addToken({ hash: "t", owner: "ann", alias: "Friend", expires: 10 })).toBe(true);
      expect(await store.claimToken("t", "bob", "Ann", 5)).toEqual({ other: "ann" });
      expect(await store.trusted("ann")).toEqual([{ username: "bob", alias: "Friend" }]);
      expect(await store.claimToken("t", "cat", "Ann", 5)).toEqual({ refused: "token-invalid" });
      await store.untrust("ann", "Friend");
      for (const claimer of ["bob", "cat"])
        expect(await store.claimToken("t", claimer, "Ann", 5)).toEqual({ refused: "token-invalid" });
    });

    test("a token is refused for its owner, for trusted users, after expiry and for used aliases", async () => {
      await accounts("ann", "bob", "cat", "dan");
      await store.trust("ann", "Bob", "bob", "Ann");
      await store.addToken({ hash: "t", owner: "ann", alias: "Cat", expires: 10 });
      const invalid = { refused: "token-invalid" };
      expect(await store.claimToken("t", "ann", "Me", 5)).toEqual(invalid);
      expect(await store.claimToken("t", "bob", "Annie", 5)).toEqual(invalid);
      expect(await store.claimToken("t", "cat", "Ann", 10)).toEqual(invalid);
      await store.trust("cat", "Ann", "dan", "Cat");
      expect(await store.claimToken("t", "cat", "Ann", 5)).toEqual({ refused: "alias-taken" });
      expect(await store.claimToken("t", "cat", "Annie", 5)).toEqual({ other: "ann" });
    });

    test("a token is invalid when its owner has used the alias since", async () => {
      await accounts("ann", "bob", "cat");
      await store.addToken({ hash: "t", owner: "ann", alias: "Friend", expires: 10 });
      await store.trust("ann", "Friend", "bob", "Ann");
      expect(await store.claimToken("t", "cat", "Ann", 5)).toEqual({ refused: "token-invalid" });
      expect(await store.addToken({ hash: "t2", owner: "ann", alias: "Friend", expires: 10 })).toBe(false);
    });

    test("a newer token for the same alias replaces the older", async () => {
      await accounts("ann", "bob");
      await store.addToken({ hash: "t1", owner: "ann", alias: "Friend", expires: 10 });
      await store.addToken({ hash: "t2", owner: "ann", alias: "Friend", expires: 20 });
      expect(await store.claimToken("t1", "bob", "Ann", 5)).toEqual({ refused: "token-invalid" });
      expect(await store.claimToken("t2", "bob", "Ann", 15)).toEqual({ other: "ann" });
    });

    test("of fifty concurrent claims of a token, one succeeds", async () => {
      const claimers = Array.from({ length: 50 }, (_, at) => `user${at}`);
      await accounts("ann", ...claimers);
      await store.addToken({ hash: "t", owner: "ann", alias: "Friend", expires: 10 });
      const outcomes = await Promise.all(claimers.map((claimer) => store.claimToken("t", claimer, "Ann", 5)));
      expect(outcomes.filter((outcome) => "other" in outcome)).toEqual([{ other: "ann" }]);
      expect(await store.trusted("ann")).toHaveLength(1);
    });

    test("two users who claim each other's tokens at the same time trust each other once", async () => {
      await accounts("ann", "bob");
      await store.addToken({ hash: "ta", owner: "ann", alias: "B", expires: 10 });
      await store.addToken({ hash: "tb", owner: "bob", alias: "A", expires: 10 });
      const outcomes = await Promise.all([
        store.claimToken("ta", "bob", "Ann", 5),
        store.claimToken("tb", "ann", "Bob", 5),
      ]);
      expect(outcomes.filter((outcome) => "other" in outcome)).toHaveLength(1);
      expect(await store.trusted("ann")).toHaveLength(1);
      expect(await store.trusted("bob")).toHaveLength(1);
    });

    test("an invitation creates one account, once, and ends the others to the same address", async () => {
      await store.addInvitation({ hash: "i1", email: "ann@x.org", expires: 10 });
      await store.addInvitation({ hash: "i2", email: "ann@x.org", expires: 10 });
      expect(await store.invitation("i1", 5)).toEqual({ hash: "i1", email: "ann@x.org", expires: 10 });
      expect(await store.invitation("i1", 10)).toBeUndefined();
      const accepted = await Promise.all([store.acceptInvitation("i1", "h", 5), store.acceptInvitation("i1", "h", 5)]);
      expect(accepted).toContainEqual({ username: "ann@x.org", inviter: undefined });
      expect(accepted).toContainEqual(invalid);
      expect(await store.acceptInvitation("i2", "h2", 5)).toEqual(invalid);
      expect(await store.account("ann@x.org")).toEqual({ username: "ann@x.org", password: "h" });
      await store.removeAccount("ann@x.org");
      for (const invitation of ["i1", "i2"]) expect(await store.acceptInvitation(invitation, "h3", 5)).toEqual(invalid);
    });

    const invalid = { refused: "token-invalid" };

    /** Adds an invitation that creates trust. */
    async function invite(hash: string, inviter: string, email: string, aliasOfInvited = "You", aliasOfInviter = "Me") {
      await store.addInvitation({ hash, email, expires: 10, inviter, trust: { aliasOfInvited, aliasOfInviter } });
    }

    test("an invitation with aliases creates the account and its trust", async () => {
      await accounts("ann");
      await invite("i", "ann", "bob@x.org", "Bob", "Ann");
      expect(await store.invitation("i", 5)).toMatchObject({
        inviter: "ann",
        trust: { aliasOfInvited: "Bob", aliasOfInviter: "Ann" },
      });
      expect(await store.acceptTrust!("i", "h", 5)).toEqual(invalid);
      expect(await store.acceptInvitation("i", "h", 5)).toEqual({ username: "bob@x.org", inviter: "ann" });
      expect(await store.trusted("ann")).toEqual([{ username: "bob@x.org", alias: "Bob" }]);
      expect(await store.trusted("bob@x.org")).toEqual([{ username: "ann", alias: "Ann" }]);
      expect(await store.acceptInvitation("i", "h", 5)).toEqual(invalid);
    });

    test("an account accepts an invitation with its current password hash, once", async () => {
      await accounts("ann", "bob@x.org");
      await invite("i", "ann", "bob@x.org");
      expect(await store.acceptInvitation("i", "h", 5)).toEqual(invalid);
      expect(await store.acceptTrust!("i", "an older hash", 5)).toEqual(invalid);
      expect(await store.acceptTrust!("i", "hash of bob@x.org", 10)).toEqual(invalid);
      const accept = () => store.acceptTrust!("i", "hash of bob@x.org", 5);
      const accepted = await Promise.all([accept(), accept()]);
      expect(accepted).toContainEqual({ username: "bob@x.org", inviter: "ann" });
      expect(accepted).toContainEqual(invalid);
      expect(await store.trusted("ann")).toHaveLength(1);
    });

    test("invitations of several users to one address all work, and those without aliases end", async () => {
      await accounts("ann", "cyd");
      await invite("i1", "ann", "bob@x.org");
      await invite("i2", "cyd", "bob@x.org", "Bob", "Cyd");
      await store.addInvitation({ hash: "i3", email: "bob@x.org", expires: 10, inviter: "cyd" });
      expect(await store.acceptInvitation("i1", "h", 5)).toEqual({ username: "bob@x.org", inviter: "ann" });
      expect(await store.acceptTrust!("i2", "h", 5)).toEqual({ username: "bob@x.org", inviter: "cyd" });
      expect(await store.invitation("i3", 5)).toBeUndefined();
      expect(await store.trusted("bob@x.org")).toHaveLength(2);
    });

    test("an invitation whose alias is in use by now changes nothing and stays valid", async () => {
      await accounts("ann", "bob@x.org", "cyd");
      const taken = { refused: "alias-taken" };
      await invite("i1", "ann", "new@x.org", "Cyd");
      await invite("i2", "ann", "bob@x.org", "Bob", "Cyd");
      await store.trust("ann", "Cyd", "cyd", "Ann");
      await store.trust("bob@x.org", "Cyd", "cyd", "Bob");
      expect(await store.acceptInvitation("i1", "h", 5)).toEqual(taken);
      expect(await store.account("new@x.org")).toBeUndefined();
      expect(await store.acceptTrust!("i2", "hash of bob@x.org", 5)).toEqual(taken);
      await store.untrust("bob@x.org", "Cyd");
      expect(await store.acceptTrust!("i2", "hash of bob@x.org", 5)).toMatchObject({ inviter: "ann" });
    });

    test("users who trust each other already keep their aliases, and nobody trusts himself", async () => {
      await accounts("ann", "bob@x.org", "cyd@x.org");
      await store.trust("ann", "Bob", "bob@x.org", "Ann");
      await invite("i1", "ann", "bob@x.org", "Robert", "Annie");
      const hash = "hash of bob@x.org";
      expect(await store.acceptTrust!("i1", hash, 5)).toEqual({ username: "bob@x.org", inviter: undefined });
      expect(await store.trusted("ann")).toEqual([{ username: "bob@x.org", alias: "Bob" }]);
      await invite("i2", "cyd@x.org", "cyd@x.org");
      expect(await store.acceptTrust!("i2", "hash of cyd@x.org", 5)).toEqual(invalid);
      expect(await store.trusted("cyd@x.org")).toEqual([]);
    });

    test("the invitations from a removed account and to it end", async () => {
      await accounts("ann", "bob@x.org");
      await invite("i1", "ann", "cyd@x.org");
      await invite("i2", "ann", "bob@x.org");
      await store.removeAccount("bob@x.org");
      expect(await store.acceptInvitation("i2", "h", 5)).toEqual(invalid);
      await store.removeAccount("ann");
      await accounts("ann");
      expect(await store.acceptInvitation("i1", "h", 5)).toEqual(invalid);
      expect(await store.account("cyd@x.org")).toBeUndefined();
    });

    test("an inviter who is removed at the moment of acceptance is trusted by nobody", async () => {
      for (let round = 0; round < 10; round++) {
        await accounts("ann");
        const email = `new${round}@x.org`;
        await invite(`i${round}`, "ann", email);
        const [accepted] = await Promise.all([store.acceptInvitation(`i${round}`, "h", 5), store.removeAccount("ann")]);
        expect(await store.trusted(email)).toEqual([]);
        expect((await store.account(email)) !== undefined).toBe("username" in accepted);
      }
    });

    test("names with the metacharacters of SQL and LIKE have no special effect", async () => {
      const names = ["%", "_", "a'; drop table accounts; --", '"', "\\", "a\\'b"];
      await accounts(...names, "ann@x.org");
      for (const [at, name] of names.entries()) {
        await invite(`i${at}`, name, "ann@x.org", name, `from ${name}`);
        expect(await store.acceptTrust!(`i${at}`, "hash of ann@x.org", 5)).toMatchObject({ inviter: name });
        expect(await store.trusted(name)).toEqual([{ username: "ann@x.org", alias: name }]);
      }
      expect(await store.removeAccount("%")).toEqual(["ann@x.org"]);
      expect(await store.untrust("ann@x.org", "from _")).toBe("_");
      expect((await store.trusted("ann@x.org")).map(({ username }) => username).sort()).toEqual(names.slice(2).sort());
      expect((await store.accounts!()).length).toBe(names.length);
    });

    test("an invitation never takes over an account", async () => {
      await accounts("ann@x.org");
      await store.addInvitation({ hash: "i", email: "ann@x.org", expires: 10 });
      expect(await store.acceptInvitation("i", "h", 5)).toEqual(invalid);
      expect((await store.account("ann@x.org"))?.password).toBe("hash of ann@x.org");
    });

    test("a ban is replaced, removed, and over at its end", async () => {
      await store.addBan!({ subject: "user ann", until: 10 });
      await store.addBan!({ subject: "user %", until: 20 });
      await store.addBan!({ subject: "user ann", until: 30 });
      expect(await store.bans!(15)).toEqual([
        { subject: "user %", until: 20 },
        { subject: "user ann", until: 30 },
      ]);
      expect(await store.removeBan!("user ann")).toBe(true);
      expect(await store.removeBan!("user ann")).toBe(false);
      expect(await store.bans!(20)).toEqual([]);
      await store.purge(20, 0, 0);
      expect(await store.bans!(0)).toEqual([]);
    });

    test("purge deletes expired rows only", async () => {
      await accounts("ann", "bob");
      await store.addToken({ hash: "t1", owner: "ann", alias: "Old", expires: 10 });
      await store.addToken({ hash: "t2", owner: "ann", alias: "New", expires: 30 });
      await store.addInvitation({ hash: "i", email: "x@x.org", expires: 10 });
      await store.addSession({ hash: "s1", username: "ann", peer: "p1", seen: 1 });
      await store.addSession({ hash: "s2", username: "ann", peer: "p2", seen: 9 });
      await store.addGuest!({ hash: "g1", peer: "p3", group: "r", name: "Guest", seen: 7 });
      await store.addGuest!({ hash: "g2", peer: "p4", group: "r", name: "Guest", seen: 9 });
      await store.purge(20, 5, 8);
      expect(await store.claimToken("t1", "bob", "Ann", 0)).toEqual({ refused: "token-invalid" });
      expect(await store.invitation("i", 0)).toBeUndefined();
      expect(await store.sessionsOf(["p1", "p2", "p3", "p4"])).toEqual(new Set(["p2", "p4"]));
      expect(await store.claimToken("t2", "bob", "Ann", 0)).toEqual({ other: "ann" });
    });

    /** Ann's session "s1" of peer "p1", on the device "d1". */
    async function onDevice(most = 10): Promise<void> {
      await accounts("ann", "bob");
      await store.addSession({ hash: "s1", username: "ann", peer: "p1", seen: 100 });
      const device = { id: "d1", hash: "h1", username: "ann", created: 100, used: 100 };
      expect(await store.addDevice!(device, "p1", most)).toBe(true);
    }

    test("a device is added for a session that still exists, which then belongs to it", async () => {
      await onDevice();
      expect(await store.session("s1", 0)).toMatchObject({ peer: "p1", device: "d1" });
      expect(await store.devices!("ann")).toEqual([{ id: "d1", hash: "h1", username: "ann", created: 100, used: 100 }]);
      const late = { id: "d2", hash: "h2", username: "ann", created: 100, used: 100 };
      expect(await store.addDevice!(late, "of an ended session", 1)).toBe(false);
      expect((await store.devices!("ann")).map(({ id }) => id)).toEqual(["d1"]);
      expect(await store.devices!("bob")).toEqual([]);
    });

    test("a device starts sessions until it was unused for too long, and each use counts", async () => {
      await onDevice();
      const begin = (peer: string, seen: number, since: number) =>
        store.addSessionFrom!({ device: "h1" }, { hash: `s-${peer}`, peer, app: "todo", seen }, since);
      expect(await begin("p2", 150, 100)).toBeUndefined();
      expect(await begin("p2", 150, 99)).toMatchObject({ username: "ann", peer: "p2", app: "todo", device: "d1" });
      expect(await store.session("s-p2", 0)).toMatchObject({ username: "ann", app: "todo", device: "d1", seen: 150 });
      expect((await store.devices!("ann"))[0]).toMatchObject({ created: 100, used: 150 });
      await store.seen(["p1"], 200);
      expect((await store.devices!("ann"))[0]?.used).toBe(200);
      expect(await store.addSessionFrom!({ device: "unknown" }, { hash: "x", peer: "p3", seen: 1 }, 0)).toBeUndefined();
      expect(await store.sessionsOf(["p3"])).toEqual(new Set());
    });

    test("a session starts another of the same account and device", async () => {
      await onDevice();
      const added = { hash: "s2", peer: "p2", app: "", seen: 150 };
      expect(await store.addSessionFrom!({ session: "s1" }, added, 99)).toMatchObject({
        username: "ann",
        device: "d1",
      });
      expect(await store.sessionsOf(["p1", "p2"])).toEqual(new Set(["p1", "p2"]));
      const late = { hash: "s3", peer: "p3", app: "", seen: 300 };
      expect(await store.addSessionFrom!({ session: "s1" }, late, 200)).toBeUndefined();
      expect(await store.addSessionFrom!({ session: "unknown" }, late, 0)).toBeUndefined();
    });

    test("a session without a device starts one without a device", async () => {
      await accounts("ann");
      await store.addSession({ hash: "s1", username: "ann", peer: "p1", seen: 1 });
      const added = await store.addSessionFrom!({ session: "s1" }, { hash: "s2", peer: "p2", seen: 2 }, 0);
      expect(added).toMatchObject({ username: "ann", device: undefined });
      expect(await store.session("s2", 0)).toMatchObject({ username: "ann", device: undefined });
    });

    test("above the limit of sessions, those that devices and sessions start end the least recently seen", async () => {
      await onDevice();
      await store.addSession({ hash: "s2", username: "ann", peer: "p2", seen: 50 });
      await store.addSessionFrom!({ device: "h1" }, { hash: "s3", peer: "p3", seen: 150 }, 0, 2);
      expect(await store.sessionsOf(["p1", "p2", "p3"])).toEqual(new Set(["p1", "p3"]));
    });

    test("a forgotten device ends its sessions and no others, and only its own account forgets it", async () => {
      await onDevice();
      await store.addSessionFrom!({ device: "h1" }, { hash: "s2", peer: "p2", seen: 150 }, 0);
      await store.addSession({ hash: "s3", username: "ann", peer: "p3", seen: 100 });
      expect(await store.forgetDevice!("bob", "d1")).toEqual([]);
      expect([...(await store.forgetDevice!("ann", "d1"))].sort()).toEqual(["p1", "p2"]);
      expect(await store.forgetDevice!("ann", "d1")).toEqual([]);
      expect(await store.sessionsOf(["p1", "p2", "p3"])).toEqual(new Set(["p3"]));
      expect(await store.devices!("ann")).toEqual([]);
      expect(await store.addSessionFrom!({ device: "h1" }, { hash: "s4", peer: "p4", seen: 150 }, 0)).toBeUndefined();
    });

    test("above the limit of devices of an account, the least recently used are forgotten with their sessions", async () => {
      await onDevice();
      await store.addSession({ hash: "s2", username: "ann", peer: "p2", seen: 200 });
      await store.addDevice!({ id: "d2", hash: "h2", username: "ann", created: 200, used: 200 }, "p2", 1);
      expect((await store.devices!("ann")).map(({ id }) => id)).toEqual(["d2"]);
      expect(await store.sessionsOf(["p1", "p2"])).toEqual(new Set(["p2"]));
    });

    test("a session that moves to another device stays, also if its device was the oldest", async () => {
      await onDevice();
      const device = { id: "d2", hash: "h2", username: "ann", created: 100, used: 100 };
      expect(await store.addDevice!(device, "p1", 1)).toBe(true);
      expect((await store.devices!("ann")).map(({ id }) => id)).toEqual(["d2"]);
      expect(await store.session("s1", 0)).toMatchObject({ peer: "p1", device: "d2" });
    });

    test("without a limit, no session and no device is ended", async () => {
      const most = Number.POSITIVE_INFINITY;
      await onDevice();
      expect(await store.addSession({ hash: "s2", username: "ann", peer: "p2", seen: 200 }, undefined, most)).toBe(
        true,
      );
      const device = { id: "d2", hash: "h2", username: "ann", created: 200, used: 200 };
      expect(await store.addDevice!(device, "p2", most)).toBe(true);
      expect(await store.sessionsOf(["p1", "p2"])).toEqual(new Set(["p1", "p2"]));
      expect((await store.devices!("ann")).map(({ id }) => id)).toEqual(["d2", "d1"]);
    });

    test("a changed password keeps only the session and the device that changed it, and a reset one keeps none", async () => {
      await onDevice();
      await store.addSession({ hash: "s2", username: "ann", peer: "p2", seen: 200 });
      await store.addDevice!({ id: "d2", hash: "h2", username: "ann", created: 200, used: 200 }, "p2", 10);
      await store.addSessionFrom!({ device: "h2" }, { hash: "s3", peer: "p3", seen: 200 }, 0);
      expect(await store.changePassword("ann", "hash of ann", "new", { peer: "p2", hash: "s2 new" })).toBe(true);
      expect((await store.devices!("ann")).map(({ id }) => id)).toEqual(["d2"]);
      expect(await store.sessionsOf(["p1", "p2", "p3"])).toEqual(new Set(["p2"]));
      expect(await store.setPassword!("ann", "reset")).toBe(true);
      expect(await store.devices!("ann")).toEqual([]);
      expect(await store.sessionsOf(["p2"])).toEqual(new Set());
    });

    test("a changed password forgets every device if the session that changed it has none", async () => {
      await onDevice();
      await store.addSession({ hash: "s2", username: "ann", peer: "p2", seen: 200 });
      expect(await store.changePassword("ann", "hash of ann", "new", { peer: "p2", hash: "s2 new" })).toBe(true);
      expect(await store.devices!("ann")).toEqual([]);
    });

    test("a removed account takes its devices with it, and purge deletes those that were unused for too long", async () => {
      await onDevice();
      await store.purge(0, 0, 0, 99);
      expect(await store.devices!("ann")).toHaveLength(1);
      await store.purge(0, 0, 0, 100);
      expect(await store.devices!("ann")).toEqual([]);
      await store.addSession({ hash: "s2", username: "ann", peer: "p2", seen: 200 });
      await store.addDevice!({ id: "d2", hash: "h2", username: "ann", created: 200, used: 200 }, "p2", 10);
      await store.removeAccount("ann");
      expect(await store.devices!("ann")).toEqual([]);
    });
  });
}
