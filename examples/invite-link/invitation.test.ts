import { expect, test } from "vitest";
import { fc } from "../../tools/property.ts";
import { invitationIn, linkOf } from "./invitation.ts";

test("a link carries its invitation for any names and tokens", () => {
  const text = fc.string({ minLength: 1 });
  fc.assert(
    fc.property(text, text, (from, token) => {
      const link = new URL(linkOf({ from, token }, "https://example.com/?as=Noa"));
      expect(invitationIn(link.hash)).toEqual({ from, token });
    }),
  );
});

test.each([[""], ["#"], ["#from=Mia"], ["#token=abc"]])("%j has no invitation", (hash) => {
  expect(invitationIn(hash)).toBeUndefined();
});
