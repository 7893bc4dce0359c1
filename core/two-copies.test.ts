import { expect, test, vi } from "vitest";
import { BonevalueError, defineModule, file } from "./index.ts";
import { createNetwork } from "./testing/index.ts";

// As on a page that loads the script for a <script> tag and a bundle, or two versions.
vi.resetModules();
const other = await import("./index.ts");

test("an error of another copy of the library is a BonevalueError", () => {
  class AppError extends BonevalueError {}
  expect(other.BonevalueError).not.toBe(BonevalueError);
  expect(new other.BonevalueError("busy", "Later.")).toBeInstanceOf(BonevalueError);
  expect(new BonevalueError("busy", "Later.")).toBeInstanceOf(other.BonevalueError);
  expect(new AppError("busy", "Later.")).toBeInstanceOf(AppError);
  expect(new BonevalueError("busy", "Later.")).not.toBeInstanceOf(AppError);
  for (const value of [undefined, null, "busy", {}, new Error("Later.")]) {
    expect(value instanceof BonevalueError).toBe(false);
  }
});

test("a handler may throw an error of another copy, accept its files and be described by its modules", async () => {
  const network = createNetwork();
  const [ann, bob] = [network.client("ann"), network.client("bob")];
  await Promise.all([ann.connect("test", "ann", ""), bob.connect("test", "bob", "")]);
  const Put = other.defineModule("Put", { request: other.file(), response: file() });
  bob.module(Put, ({ request }) => request);
  bob.module("Refuse", () => {
    throw new other.BonevalueError("forbidden", "Not today.");
  });
  await expect(ann.get("bob").call("Refuse", 1).first()).rejects.toMatchObject({ code: "forbidden" });
  const remote = await ann
    .get("bob")
    .call(Put, new Blob(["bytes"]))
    .first();
  expect(await (await remote.blob()).text()).toBe("bytes");
  for (const schema of [file(), other.file()]) {
    expect(await schema["~standard"].validate(remote)).toMatchObject({ value: remote });
  }
  expect(defineModule("Put")).toMatchObject({ name: other.defineModule("Put").name });
  await Promise.all([ann.disconnect(), bob.disconnect()]);
});

test("presence that another copy has defined is refused with the reason", () => {
  const client = createNetwork().client("ann");
  expect(() => client.presence(other.definePresence("Cursor"), 1)).toThrow(
    new BonevalueError(
      "invalid-request",
      "Pass what definePresence() returns, of the same copy of this library as the client.",
    ),
  );
});
