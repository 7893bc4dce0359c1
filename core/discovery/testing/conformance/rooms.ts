import { describe, expect, test } from "vitest";
import { createEventRecorder, type RecordedEvent } from "../event-recorder.ts";
import { connects, type DiscoveryFixture, disconnects, isSignal } from "./fixture.ts";

const arrives = ([event]: RecordedEvent): boolean => event === "peerConnect";

/** Tests what every discovery does for guests, who have no account, and for apps. */
export function roomsConformance(stage: DiscoveryFixture): void {
  const { signIn, enter } = stage;

  describe("rooms", () => {
    test("guests see each other connect and disconnect, by the names that they chose", async () => {
      const ann = await enter("demo", "Ann");
      expect(ann.snapshot).toEqual({ self: { id: ann.id, username: "Ann", room: "demo" }, users: [], peers: [] });
      const other = await enter("demo", "Ann");
      expect(other.snapshot.peers).toEqual([{ name: "Ann", id: ann.id }]);
      expect(await ann.until(connects(other.id))).toEqual(["peerConnect", { name: "Ann", id: other.id }]);
      await other.session.close();
      expect(await ann.until(disconnects(other.id))).toEqual(["peerDisconnect", other.id, false]);
      expect(ann.recorded.some(([event]) => event === "userAdd" || event === "userRemove")).toBe(false);
    });

    test("signals pass between guests", async () => {
      const [ann, bob] = [await enter("demo", "Ann"), await enter("demo", "Bob")];
      await ann.until(connects(bob.id));
      ann.session.signal("peerRequest", bob.id, { attempt: 1 });
      expect(await bob.until(isSignal)).toEqual(["signal", "peerRequest", ann.id, { attempt: 1 }]);
    });

    test("guests meet neither users nor guests of other rooms", async () => {
      await stage.world.trust?.("ann", "bob", "bob", "ann");
      const user = await signIn("ann");
      const [guest, elsewhere] = [await enter("ann", "bob"), await enter("bob", "ann")];
      const friend = await signIn("bob");
      await user.until(connects(friend.id));
      const [same, also] = [await enter("ann", "ann"), await enter("bob", "bob")];
      await guest.until(connects(same.id));
      await elsewhere.until(connects(also.id));
      expect(guest.recorded.filter(arrives)).toEqual([["peerConnect", { name: "ann", id: same.id }]]);
      expect(user.recorded.filter(arrives)).toEqual([["peerConnect", { name: "bob", id: friend.id }]]);
      guest.session.signal("peerRequest", user.id, "hello");
      await guest.until(([event, to]) => event === "unreachable" && to === user.id);
    });

    test.each(["", "Us", "*", "x".repeat(65), "0123456789ABCDEF0123456789abcdef", "A\u0000nn", "Ann\u200b"])(
      "a guest cannot be called %j",
      async (name) => {
        const recorder = createEventRecorder();
        stage.open({ room: "demo", name }, recorder.events);
        expect(await recorder.until(() => true)).toEqual(["ended", "alias-reserved"]);
      },
    );

    test("requests about accounts and trust are unsupported", async () => {
      const { session } = await enter("demo", "Ann");
      const unsupported = { code: "unsupported" };
      await expect(session.invite("dan@example.org")).rejects.toMatchObject(unsupported);
      await expect(session.requestToken("Dan")).rejects.toMatchObject(unsupported);
      await expect(session.claimToken("Dan", "token")).rejects.toMatchObject(unsupported);
      await expect(session.removeUser("Dan")).rejects.toMatchObject(unsupported);
      await expect(session.changePassword("old", "new")).rejects.toMatchObject(unsupported);
    });
  });

  describe("apps", () => {
    test("users meet only in the same app", async () => {
      await stage.world.trust?.("ann", "bob", "bob", "ann");
      const [todo, chat] = [await signIn("ann", "todo"), await signIn("ann", "chat")];
      const bob = await signIn("bob", "todo");
      expect(bob.snapshot.peers).toEqual([{ name: "ann", id: todo.id }]);
      const again = await signIn("bob", "chat");
      expect(await chat.until(arrives)).toEqual(["peerConnect", { name: "bob", id: again.id }]);
      expect(await todo.until(arrives)).toEqual(["peerConnect", { name: "bob", id: bob.id }]);
      chat.session.signal("peerRequest", bob.id, "hello");
      await chat.until(([event, to]) => event === "unreachable" && to === bob.id);
    });

    test("guests meet only in the same app", async () => {
      const todo = await enter("demo", "Ann", "todo");
      await enter("demo", "Bob", "chat");
      await enter("demo", "Bob");
      const bob = await enter("demo", "Bob", "todo");
      expect(bob.snapshot.peers).toEqual([{ name: "Ann", id: todo.id }]);
      expect(await todo.until(arrives)).toEqual(["peerConnect", { name: "Bob", id: bob.id }]);
    });

    test.each(["a:b", "%3A", '["x"]', "__proto__", "\u{1F600}"])("%j is a name like any other", async (app) => {
      const ann = await enter("demo", "Ann", app);
      expect((await enter("demo", "Bob", app)).snapshot.peers).toEqual([{ name: "Ann", id: ann.id }]);
    });
  });
}
