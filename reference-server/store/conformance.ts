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
      expect(accepted.filter((name) => name !== undefined)).toEqual(["ann@x.org"]);
      expect(await store.acceptInvitation("i2", "h2", 5)).toBeUndefined();
      expect(await store.account("ann@x.org")).toEqual({ username: "ann@x.org", password: "h" });
      await store.removeAccount("ann@x.org");
      for (const invitation of ["i1", "i2"]) expect(await store.acceptInvitation(invitation, "h3", 5)).toBeUndefined();
    });

    test("an invitation never takes over an account", async () => {
      await accounts("ann@x.org");
      await store.addInvitation({ hash: "i", email: "ann@x.org", expires: 10 });
      expect(await store.acceptInvitation("i", "h", 5)).toBeUndefined();
      expect((await store.account("ann@x.org"))?.password).toBe("hash of ann@x.org");
    });

    test("purge deletes expired rows only", async () => {
      await accounts("ann", "bob");
      await store.addToken({ hash: "t1", owner: "ann", alias: "Old", expires: 10 });
      await store.addToken({ hash: "t2", owner: "ann", alias: "New", expires: 30 });
      await store.addInvitation({ hash: "i", email: "x@x.org", expires: 10 });
      await store.addSession({ hash: "s1", username: "ann", peer: "p1", seen: 1 });
      await store.addSession({ hash: "s2", username: "ann", peer: "p2", seen: 9 });
      await store.purge(20, 5);
      expect(await store.claimToken("t1", "bob", "Ann", 0)).toEqual({ refused: "token-invalid" });
      expect(await store.invitation("i", 0)).toBeUndefined();
      expect(await store.sessionsOf(["p1", "p2"])).toEqual(new Set(["p2"]));
      expect(await store.claimToken("t2", "bob", "Ann", 0)).toEqual({ other: "ann" });
    });
  });
}
