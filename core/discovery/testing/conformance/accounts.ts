import { expect, test } from "vitest";
import type { Credentials } from "../../discovery.ts";
import { createEventRecorder, type RecordedEvent } from "../event-recorder.ts";
import { connects, type DiscoveryFixture, disconnects, isSignal, type Login } from "./fixture.ts";

/** Tests what only a server provides: authentication and trust. */
export function accountsConformance(stage: DiscoveryFixture): void {
  const { signIn } = stage;

  async function trustByToken(): Promise<[ann: Login, bob: Login]> {
    const ann = await signIn("ann");
    const bob = await signIn("bob");
    const { token } = await ann.session.requestToken("Robert");
    await bob.session.claimToken("Annie", token);
    await ann.until(connects(bob.id));
    return [ann, bob];
  }

  test("a wrong password is refused", async () => {
    const recorder = createEventRecorder();
    const credentials = { username: "ann", password: "a wrong guess" };
    stage.open(credentials, recorder.events);
    expect(await recorder.until(() => true)).toEqual(["ended", "unauthenticated"]);
  });

  test("users without trust neither see nor reach each other", async () => {
    const ann = await signIn("ann");
    const bob = await signIn("bob");
    expect(bob.snapshot).toMatchObject({ users: [], peers: [] });
    bob.session.signal("peerRequest", ann.id, "hello");
    expect(await bob.until(([event]) => event === "unreachable")).toEqual(["unreachable", ann.id]);
    expect(ann.recorded.filter(isSignal)).toEqual([]);
  });

  test("a token makes two users trust each other under the names that they chose, and users come before their peers", async () => {
    const [ann, bob] = await trustByToken();
    expect(bob.recorded.slice(-2)).toEqual([
      ["userAdd", "Annie"],
      ["peerConnect", { name: "Annie", id: ann.id }],
    ]);
    expect(ann.recorded.slice(-2)).toEqual([
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
    await ann.session.removeUser("Robert");
    await expect(cyd.session.claimToken("Annie", token)).rejects.toMatchObject({ code: "token-invalid" });
  });

  test("a token stays valid when its claim is refused for a name, until its maker uses its name for another user", async () => {
    await stage.world.trust?.("bob", "Cyd", "cyd", "Bob");
    const [ann, bob] = [await signIn("ann"), await signIn("bob")];
    const [{ token }, other] = [await ann.session.requestToken("Robert"), await ann.session.requestToken("Bert")];
    await expect(bob.session.claimToken("Cyd", token)).rejects.toMatchObject({ code: "alias-taken" });
    await stage.world.trust?.("ann", "Bert", "cyd", "Annie");
    await expect(bob.session.claimToken("Annie", other.token)).rejects.toMatchObject({ code: "token-invalid" });
    await bob.session.claimToken("Annie", token);
  });

  test("a newer token for the same name replaces the older of its maker", async () => {
    const ann = await signIn("ann");
    const bob = await signIn("bob");
    const cyd = await signIn("cyd");
    const kept = [await cyd.session.requestToken("Robert"), await ann.session.requestToken("Another")];
    const older = await ann.session.requestToken("Robert");
    const newer = await ann.session.requestToken("Robert");
    await expect(bob.session.claimToken("Annie", older.token)).rejects.toMatchObject({ code: "token-invalid" });
    await bob.session.claimToken("Annie", newer.token);
    await bob.session.claimToken("Cyd", kept[0]!.token);
    await cyd.session.claimToken("Annie", kept[1]!.token);
  });

  test("the beginning and the end of trust tell of no peer in another app", async () => {
    const [ann, bob] = [await signIn("ann"), await signIn("bob")];
    const elsewhere = await signIn("bob", "another app");
    await stage.world.trust?.("ann", "Robert", "bob", "Annie");
    await ann.until(connects(bob.id));
    await ann.session.removeUser("Robert");
    await ann.until(([event]) => event === "userRemove");
    const about = ann.recorded.flatMap(([event, peer]) => (event.startsWith("peer") ? [Object(peer).id ?? peer] : []));
    expect(about).not.toContain(elsewhere.id);
  });

  test("reserved, taken and unknown names are refused with their own codes", async () => {
    const [ann] = await trustByToken();
    await expect(ann.session.requestToken("Us")).rejects.toMatchObject({ code: "alias-reserved" });
    await expect(ann.session.requestToken("0".repeat(32))).rejects.toMatchObject({ code: "alias-reserved" });
    await expect(ann.session.requestToken("Robert")).rejects.toMatchObject({ code: "alias-taken" });
    await expect(ann.session.removeUser("__proto__")).rejects.toMatchObject({ code: "alias-unknown" });
  });

  test("the end of trust removes the peers on both sides, then the users, and stops relaying", async () => {
    const [ann, bob] = await trustByToken();
    await ann.session.removeUser("Robert");
    await bob.until(([event]) => event === "userRemove");
    expect(ann.recorded.slice(-2)).toEqual([
      ["peerDisconnect", bob.id, false],
      ["userRemove", "Robert"],
    ]);
    expect(bob.recorded.slice(-2)).toEqual([
      ["peerDisconnect", ann.id, false],
      ["userRemove", "Annie"],
    ]);
    bob.session.signal("peerRequest", ann.id, "hello");
    await bob.until(([event]) => event === "unreachable");
  });

  test("a changed password ends every other session of the account, and a wrong one changes nothing", async () => {
    const { password } = stage.world.credentials("ann") as { password: string };
    const ann = await signIn("ann");
    const other = await signIn("ann");
    const wrong = ann.session.changePassword("a wrong guess", "correct horse battery");
    await expect(wrong).rejects.toMatchObject({ code: "unauthenticated" });
    await ann.session.changePassword(password, "correct horse battery");
    expect(await other.until(([event]) => event === "ended")).toEqual(["ended", "unauthenticated"]);
    await ann.until(disconnects(other.id));
  });

  test("a new password with fewer than 8 characters is refused, and the old one stays", async () => {
    const { password } = stage.world.credentials("ann") as { password: string };
    const ann = await signIn("ann");
    await expect(ann.session.changePassword(password, "seven 7")).rejects.toMatchObject({ code: "invalid-request" });
    await signIn("ann");
  });

  /** Waits for the mail of an invitation; returns its secret. */
  async function invitationTo(address: string): Promise<string> {
    const secret = () => stage.world.mailed?.get(address)?.at(-1);
    await expect.poll(secret).toBeDefined();
    return secret() as string;
  }

  async function accept(address: string, password: string): Promise<RecordedEvent> {
    return signInWith({ invite: await invitationTo(address), password });
  }

  async function signInWith(credentials: Credentials): Promise<RecordedEvent> {
    const recorder = createEventRecorder();
    stage.open(credentials, recorder.events);
    return recorder.until(([event]) => event === "online" || event === "ended");
  }

  test("a new user who accepts an invitation and its sender trust each other under its names", async () => {
    const ann = await signIn("ann");
    await ann.session.invite("new@example.org", { alias: "Zoe\u0308", as: "Annie" });
    const invited = await accept("new@example.org", "a good secret");
    expect(invited).toMatchObject(["online", { users: ["Annie"], peers: [{ name: "Annie", id: ann.id }] }]);
    await ann.until(([event, alias]) => event === "userAdd" && alias === "Zo\u00eb");
    await ann.until(([event]) => event === "peerConnect");
  });

  test("a user who has an account accepts an invitation with its password", async () => {
    const ann = await signIn("ann");
    const dan = await signIn("dan@example.org");
    await ann.session.invite("dan@example.org", { alias: "Dan" });
    expect(await accept("dan@example.org", "a wrong guess")).toEqual(["ended", "unauthenticated"]);
    const { password } = stage.world.credentials("dan@example.org") as { password: string };
    expect(await accept("dan@example.org", password)).toMatchObject(["online", { users: ["ann"] }]);
    await dan.until(([event, alias]) => event === "userAdd" && alias === "ann");
    await ann.until(([event, alias]) => event === "userAdd" && alias === "Dan");
    expect(await accept("dan@example.org", password)).toEqual(["ended", "token-invalid"]);
  });

  test("an invited user chooses a password of at least 8 characters", async () => {
    const ann = await signIn("ann");
    await ann.session.invite("new@example.org");
    expect(await accept("new@example.org", "seven 7")).toEqual(["ended", "invalid-request"]);
    expect(await accept("new@example.org", "eight 88")).toMatchObject(["online", { users: [] }]);
    const again = await signInWith({ username: "new@example.org", password: "eight 88" });
    expect(again).toMatchObject(["online", { self: { username: "new@example.org" } }]);
    expect(ann.recorded.some(([event]) => event === "userAdd")).toBe(false);
  });

  test("an invitation without names is invalid once its address has an account", async () => {
    const ann = await signIn("ann");
    await ann.session.invite("new@example.org");
    const older = await invitationTo("new@example.org");
    await ann.session.invite("new@example.org");
    await expect.poll(() => stage.world.mailed?.get("new@example.org")?.length).toBe(2);
    expect(await accept("new@example.org", "a good secret")).toMatchObject(["online", {}]);
    expect(await signInWith({ invite: older, password: "a good secret" })).toEqual(["ended", "token-invalid"]);
  });

  test("an invitation under a name that its sender uses by now is refused", async () => {
    const ann = await signIn("ann");
    await ann.session.invite("dan@example.org", { alias: "Dan" });
    await invitationTo("dan@example.org");
    await stage.world.trust?.("ann", "Dan", "bob", "Annie");
    const { password } = stage.world.credentials("dan@example.org") as { password: string };
    expect(await accept("dan@example.org", password)).toEqual(["ended", "alias-taken"]);
  });

  test("an invitation under names that a trusted user accepts changes no name", async () => {
    await stage.world.trust?.("ann", "Dan", "dan@example.org", "Ann");
    const ann = await signIn("ann");
    await ann.session.invite("dan@example.org", { alias: "Daniel", as: "Annie" });
    const { password } = stage.world.credentials("dan@example.org") as { password: string };
    expect(await accept("dan@example.org", password)).toMatchObject(["online", { users: ["Ann"] }]);
    expect((await signIn("ann")).snapshot.users).toEqual(["Dan"]);
  });

  test("an invitation under a name that its sender cannot use is refused", async () => {
    const [ann] = await trustByToken();
    for (const [names, code] of [
      [{ alias: "Us" }, "alias-reserved"],
      [{ alias: "Dan", as: "*" }, "alias-reserved"],
      [{ alias: "Robert" }, "alias-taken"],
    ] as const)
      await expect(ann.session.invite("dan@example.org", names)).rejects.toMatchObject({ code });
    expect(stage.world.mailed?.size).toBe(0);
  });

  test("an invitation of its sender under names is refused, and without names it does nothing", async () => {
    const dan = await signIn("dan@example.org");
    const own = dan.session.invite("dan@example.org", { alias: "Myself" });
    await expect(own).rejects.toMatchObject({ code: "invalid-request" });
    expect(await dan.session.invite("dan@example.org")).toBeUndefined();
  });

  test("an invitation gets the same answer whether or not the address has an account", async () => {
    const ann = await signIn("ann");
    await signIn("dan@example.org");
    const answers = ["dan@example.org", "new@example.org"].map((address) => ann.session.invite(address));
    expect(await Promise.all(answers)).toEqual([undefined, undefined]);
    await expect.poll(() => [...stage.world.mailed!.keys()]).toEqual(["new@example.org"]);
    const named = ["dan@example.org", "other@example.org"].map((address, at) =>
      ann.session.invite(address, { alias: `Name ${at}` }),
    );
    expect(await Promise.all(named)).toEqual([undefined, undefined]);
  });
}
