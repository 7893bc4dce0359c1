import { afterEach, expect, test, vi } from "vitest";
import { BonevalueError } from "../../errors.ts";
import { pullFromStream } from "./pull.ts";

const reason = new BonevalueError("cancelled", "The test ends it.");

afterEach(() => {
  vi.restoreAllMocks();
});

test("an error of a stream's own `cancel` is reported, and that of a failed stream, which its reader got, is not", async () => {
  const reported = vi.spyOn(console, "error").mockReturnValue(undefined);
  const failed = new ReadableStream({ start: (controller) => controller.error(new Error("its reader got this")) });
  const broken = new ReadableStream({ cancel: () => Promise.reject(new Error("nothing was cleaned up")) });
  for (const stream of [failed, broken]) pullFromStream(stream).cancel(reason);
  await vi.waitFor(() => expect(reported).toHaveBeenCalled());
  expect(reported.mock.calls).toEqual([[new Error("nothing was cleaned up")]]);
});
