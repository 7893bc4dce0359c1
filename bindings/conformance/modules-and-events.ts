import { expect } from "vitest";
import type { Peer } from "../../core/index.ts";
import { eventually } from "../../tools/eventually.ts";
import { createCountingClient } from "./counting-client.ts";
import { type Behaviours, nextTurn, noop } from "./fixture.ts";
import { Ask } from "./pages.ts";

/** Modules and event listeners of a mounted component. */
export const moduleAndEventBehaviours: Behaviours = {
  "answers with the handler of the last render, and registers the module once": async ({
    ann,
    bob,
    show,
    bothSignedIn,
  }) => {
    await bothSignedIn();
    const count = createCountingClient(bob);
    const page = show("module", { answer: "first", onPeerConnect: noop }, { client: count.client });
    await nextTurn();
    expect(await ann.get("bob").call(Ask, "").first()).toBe("first");
    page.update({ answer: "second", onPeerConnect: noop });
    await nextTurn();
    expect(await ann.get("bob").call(Ask, "").first()).toBe("second");
    expect(count.registrations).toBe(1);
    page.unmount();
    await expect(ann.get("bob").call(Ask, "").first()).rejects.toMatchObject({ code: "unknown-module" });
  },

  "registers a module that the replaced component had registered": async ({ ann, bob, bothSignedIn, show }) => {
    await bothSignedIn();
    const page = show("keyedModule", { answer: "first" }, { client: bob });
    for (const answer of ["second", "third"]) {
      page.update({ answer });
      await nextTurn();
      expect(await ann.get("bob").call(Ask, "").first()).toBe(answer);
    }
  },

  "answers with the last of several registrations, then with the previous one": async ({
    ann,
    bob,
    bothSignedIn,
    show,
  }) => {
    await bothSignedIn();
    const ask = () => ann.get("bob").call(Ask, "").first();
    const register = async (answer: string) => {
      const page = show("module", { answer, onPeerConnect: noop }, { client: bob });
      await nextTurn();
      expect(await ask()).toBe(answer);
      return page;
    };
    const [first, second, third] = [await register("first"), await register("second"), await register("third")];
    first.unmount();
    expect(await ask()).toBe("third");
    third.unmount();
    expect(await ask()).toBe("second");
    second.unmount();
    await expect(ask()).rejects.toMatchObject({ code: "unknown-module" });
  },

  "accepts calls only from peers that `allow` matches now": async ({ bob, show, bothSignedIn }) => {
    await bothSignedIn();
    const page = show("module", { answer: "here", onPeerConnect: noop, allow: "bob" });
    await nextTurn();
    const ask = () => bob.get("ann").call(Ask, "").first();
    expect(await ask()).toBe("here");
    page.update({ answer: "here", onPeerConnect: noop, allow: "Us" });
    await nextTurn();
    await expect(ask()).rejects.toMatchObject({ code: "forbidden" });
    page.update({ answer: "here", onPeerConnect: noop, allow: { user: "bob" } });
    await nextTurn();
    expect(await ask()).toBe("here");
  },

  "passes events to the listener of the last render, until unmount": async ({ ann, bob, show, signIn }) => {
    await signIn([ann, "ann"]);
    const received: string[] = [];
    const onPeerConnect = (answer: string, peer: Peer) => received.push(`${answer} ${peer.name}`);
    const page = show("module", { answer: "first", onPeerConnect });
    await nextTurn();
    await signIn([bob, "bob"]);
    await eventually(() => expect(received).toEqual(["first bob"]));
    page.update({ answer: "second", onPeerConnect });
    await nextTurn();
    await bob.disconnect();
    await signIn([bob, "bob"]);
    await eventually(() => expect(received).toEqual(["first bob", "second bob"]));
    page.unmount();
    await bob.disconnect();
    await signIn([bob, "bob"]);
    await eventually(() => expect(ann.peers.peek()).toHaveLength(1));
    expect(received).toHaveLength(2);
  },
};
