import { expect, test, vi } from "vitest";
import { createNetwork } from "../testing/network.ts";

vi.mock("./remember.ts", () => {
  throw new Error("The script was not found.");
});

const failed = { code: "link-failed", message: expect.stringContaining("has not loaded") };

test("without its script a client signs in and out; resume, signOut and an error event say what is missing", async () => {
  const client = createNetwork().client("ann", { remember: "tab" });
  const errors: unknown[] = [];
  client.on("error", (error) => errors.push(error));
  await expect(client.resume()).rejects.toMatchObject(failed);
  await client.connect("test", "ann", "");
  expect(client.status.peek()).toBe("online");
  await vi.waitFor(() => expect(errors).toMatchObject([failed]));
  await expect(client.signOut()).rejects.toMatchObject(failed);
  expect(client.status.peek()).toBe("offline");
});
