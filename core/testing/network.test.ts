import { expect, test } from "vitest";
import { createNetwork } from "./network.ts";

test("a client signs in with any token, as its own user", async () => {
  const network = createNetwork();
  const [ann, bob] = [network.client("ann"), network.client("bob")];
  await bob.connect("test", "bob", "");
  await ann.connect("test", { token: () => "of the app's own" });
  expect(ann.self.peek()).toMatchObject({ username: "ann" });
  expect(bob.peers.peek()).toMatchObject([{ name: "ann" }]);
});
