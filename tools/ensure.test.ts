import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ensure } from "./ensure.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ensure-"));
  vi.stubEnv("PATH", folder);
  vi.stubEnv("REDIS_SERVER", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function program(name: string, code: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${code}\n`, { mode: 0o755 });
}

test("a machine without apt is told what to install, and how to name what is elsewhere", () => {
  expect(() => ensure("redis")).toThrow(/Install redis-server first.*REDIS_SERVER/);
});

test("who is not root is told what to install, and nothing is tried", () => {
  vi.spyOn(process, "getuid").mockReturnValue(1000);
  program("apt-get", `echo tried > ${folder}/redis-server`);
  expect(() => ensure("redis")).toThrow("apt-get install redis-server");
  expect(() => ensure("redis")).toThrow("apt-get install redis-server");
});

test("root without a network is told the same, with what apt said as the cause", () => {
  vi.spyOn(process, "getuid").mockReturnValue(0);
  vi.spyOn(console, "log").mockReturnValue();
  program("apt-get", "exit 100");
  expect(() => ensure("redis")).toThrow(
    expect.objectContaining({
      message: expect.stringContaining("Install redis-server first"),
      cause: expect.any(Error),
    }),
  );
});

test("a program that the shell finds, or that its variable names, is there", () => {
  vi.stubEnv("REDIS_SERVER", "/opt/redis/redis-server");
  ensure("redis");
  vi.stubEnv("REDIS_SERVER", undefined);
  program("redis-server", "");
  ensure("redis");
});
