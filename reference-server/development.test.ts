import { existsSync } from "node:fs";
import { expect, onTestFinished, test, vi } from "vitest";
import { createDevelopmentServer, developmentAccounts } from "./development.ts";
import { openClient } from "./testing/test-client.ts";

test("a store that is given as undefined is in memory, so that known passwords get into no file", async () => {
  const server = await createDevelopmentServer({ port: 0, store: undefined });
  onTestFinished(() => server.close());
  expect(await server.accounts.list()).toEqual(["ann", "bob"]);
  expect(existsSync("bonevalue.db")).toBe(false);
});

test("the link of an invitation is printed", async () => {
  const print = vi.spyOn(console, "log").mockReturnValue();
  onTestFinished(() => print.mockRestore());
  const server = await createDevelopmentServer({ port: 0 });
  onTestFinished(() => server.close());
  const ann = await openClient(server.url);
  const [{ username, password }] = developmentAccounts;
  ann.send("authenticate", { version: 1, username, password });
  await ann.next("setPeerId");
  await ann.request("inviteUser", { email: "cat@example.org" });
  const link = `${server.url.replace(/^ws/, "http")}/invite#`;
  await vi.waitFor(() => expect(print).toHaveBeenCalledWith(expect.stringContaining(link)));
  expect(print.mock.lastCall).toEqual([expect.stringMatching(/^Invitation of cat@example\.org: /)]);
});
