import { expect } from "vitest";
import type { Peer } from "../../core/index.ts";
import { eventually } from "../../tools/eventually.ts";
import { counted } from "./counted.ts";
import { Ask } from "./pages.ts";
import { type Behaviours, ignore, settled } from "./scene.ts";

/** What a component offers and hears while it is there. */
export const offered: Behaviours = {
  "answers as it was last rendered, and registers a module once": async ({ ann, bob, show, bothSignedIn }) => {
    await bothSignedIn();
    const count = counted(bob);
    const page = show("offer", { answer: "first", heard: ignore }, { client: count.client });
    await settled();
    expect(await ann.get("bob").call(Ask, "").first()).toBe("first");
    page.update({ answer: "second", heard: ignore });
    await settled();
    expect(await ann.get("bob").call(Ask, "").first()).toBe("second");
    expect(count.offers).toBe(1);
    page.unmount();
    await expect(ann.get("bob").call(Ask, "").first()).rejects.toMatchObject({ code: "unknown-module" });
  },

  "offers a module that the component before it in the same place has offered": async ({
    ann,
    bob,
    bothSignedIn,
    show,
  }) => {
    await bothSignedIn();
    const page = show("places", { answer: "first" }, { client: bob });
    for (const answer of ["second", "third"]) {
      page.update({ answer });
      await settled();
      expect(await ann.get("bob").call(Ask, "").first()).toBe(answer);
    }
  },

  "lets the last of several offers answer, and when it goes the one before": async ({
    ann,
    bob,
    bothSignedIn,
    show,
  }) => {
    await bothSignedIn();
    const ask = () => ann.get("bob").call(Ask, "").first();
    const offer = async (answer: string) => {
      const page = show("offer", { answer, heard: ignore }, { client: bob });
      await settled();
      expect(await ask()).toBe(answer);
      return page;
    };
    const [first, second, third] = [await offer("first"), await offer("second"), await offer("third")];
    first.unmount();
    expect(await ask()).toBe("third");
    third.unmount();
    expect(await ask()).toBe("second");
    second.unmount();
    await expect(ask()).rejects.toMatchObject({ code: "unknown-module" });
  },

  "lets those call a module whom it names now, and nobody else": async ({ bob, show, bothSignedIn }) => {
    await bothSignedIn();
    const page = show("offer", { answer: "here", heard: ignore, allow: "bob" });
    await settled();
    const ask = () => bob.get("ann").call(Ask, "").first();
    expect(await ask()).toBe("here");
    page.update({ answer: "here", heard: ignore, allow: "Us" });
    await settled();
    await expect(ask()).rejects.toMatchObject({ code: "forbidden" });
    page.update({ answer: "here", heard: ignore, allow: { user: "bob" } });
    await settled();
    expect(await ask()).toBe("here");
  },

  "hears events as it was last rendered, until it unmounts": async ({ ann, bob, show, signIn }) => {
    await signIn([ann, "ann"]);
    const told: string[] = [];
    const heard = (answer: string, peer: Peer) => told.push(`${answer} ${peer.name}`);
    const page = show("offer", { answer: "first", heard });
    await settled();
    await signIn([bob, "bob"]);
    await eventually(() => expect(told).toEqual(["first bob"]));
    page.update({ answer: "second", heard });
    await settled();
    await bob.disconnect();
    await signIn([bob, "bob"]);
    await eventually(() => expect(told).toEqual(["first bob", "second bob"]));
    page.unmount();
    await bob.disconnect();
    await signIn([bob, "bob"]);
    await eventually(() => expect(ann.peers.peek()).toHaveLength(1));
    expect(told).toHaveLength(2);
  },
};
