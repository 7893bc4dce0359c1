import { expect, test } from "vitest";
import { defaultLog, type Log } from "./log.ts";
import { startTestServer } from "./testing/test-server.ts";

test("a secret in log data is redacted", () => {
  const lines: string[] = [];
  const log = defaultLog("info", { write: (line) => lines.push(line) });
  const data = { version: 1, username: "ann", password: "p1", token: "t1", session: "s1" };
  log.info({ frame: { type: "authenticate", data }, signal: { sdp: "x1" }, invite: "i1" }, "a frame");
  log.debug({ password: "p2" }, "not at this level");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({ msg: "a frame", frame: { data: { username: "ann" } } });
  for (const secret of ["p1", "t1", "s1", "x1", "i1"]) expect(lines[0]).not.toContain(secret);
});

test("an error is logged with its message and the message of its cause", () => {
  const lines: string[] = [];
  const log = defaultLog("error", { write: (line) => lines.push(line) });
  log.error({ error: new Error("outer", { cause: new Error("inner") }) }, "it failed");
  expect(JSON.parse(lines[0]!).error.message).toBe("outer: inner");
});

test("console can be used as the log", async () => {
  const log: Log = console;
  const { server } = await startTestServer([], { log });
  await server.close();
});
