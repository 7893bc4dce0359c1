import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ensure, missingPrograms } from "./ensure.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ensure-"));
  vi.stubEnv("PATH", folder);
  vi.stubEnv("REDIS_SERVER", undefined);
  vi.stubEnv("CI", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

function program(name: string, code: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${code}\n`, { mode: 0o755 });
}

test("without apt-get, the error says what to install and which variable names a program elsewhere", () => {
  expect(() => ensure("redis")).toThrow(/Install redis-server first.*REDIS_SERVER/);
});

test("a user who is not root is told what to install, and nothing is tried", () => {
  vi.spyOn(process, "getuid").mockReturnValue(1000);
  program("apt-get", `echo tried > ${folder}/redis-server`);
  expect(() => ensure("redis")).toThrow("apt-get install redis-server");
  expect(() => ensure("redis")).toThrow("apt-get install redis-server");
});

test("root installs with one command all that is missing, and only that", () => {
  vi.spyOn(process, "getuid").mockReturnValue(0);
  const log = vi.spyOn(console, "log").mockReturnValue();
  program("redis-server", "");
  program(
    "apt-get",
    `for word; do case $word in coturn) : > ${folder}/turnserver ;; nftables) : > ${folder}/nft ;; esac; done`,
  );
  ensure("coturn", "nftables", "redis");
  expect(log.mock.calls).toEqual([["Installing coturn nftables …"]]);
  ensure("coturn", "nftables");
  expect(log).toHaveBeenCalledTimes(1);
});

test("root without a network gets the same message, with the error of apt-get as the cause", () => {
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

test("a program on the path, or named by its variable, counts as installed", () => {
  vi.stubEnv("REDIS_SERVER", "/opt/redis/redis-server");
  ensure("redis");
  vi.stubEnv("REDIS_SERVER", undefined);
  program("redis-server", "");
  ensure("redis");
});

test("a missing program is a reason to skip tests, and an error with CI=true", () => {
  expect(missingPrograms("nftables", "coturn")).toContain("Install nftables and coturn first");
  vi.stubEnv("CI", "true");
  expect(() => missingPrograms("nftables")).toThrow("Install nftables first");
  program("nft", "");
  expect(missingPrograms("nftables")).toBeUndefined();
});
