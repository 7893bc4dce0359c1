import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { snippetsOf } from "../tools/snippets.ts";
import { startNginx } from "./testing/nginx.ts";
import { openClient } from "./testing/test-client.ts";
import { password, signedIn, startTestServer } from "./testing/test-server.ts";

vi.setConfig({ testTimeout: 30_000 });

const path = "docs/deploy/proxies.md";
const snippets = snippetsOf(path, readFileSync(new URL(`../${path}`, import.meta.url), "utf8"));

function snippet(language: string): string {
  const found = snippets.filter((one) => one.language === language);
  expect(found, `one ${language} snippet`).toHaveLength(1);
  return found[0]!.text;
}

function isInstalled(program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

/** Writes a file into a folder that the test removes; returns its path. */
function file(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "bonevalue-deployment-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

test("clients connect through the nginx snippet", async () => {
  const { server } = await startTestServer(["ann"], { proxies: ["127.0.0.1"] });
  const { port } = new URL(server.url);
  const proxy = await startNginx(snippet("nginx").replace("127.0.0.1:8000", `127.0.0.1:${port}`));
  expect((await fetch(`${proxy}/p2p/healthz`)).status).toBe(200);
  const ann = await signedIn(await openClient(`${proxy.replace("http", "ws")}/p2p/`), { username: "ann", password });
  ann.socket.terminate();
});

test("systemd accepts the unit, or its sections and settings are the expected ones", () => {
  const unit = snippet("ini");
  expect(unit).toMatch(/\[Unit\]\n.*\[Service\]\nExecStart=\/usr\/bin\/node \S+cli\.js serve\n.*\[Install\]\n/s);
  if (!isInstalled("systemd-analyze", "--version")) return;
  const installed = unit.replace("/usr/bin/node", process.execPath);
  const { stderr, stdout } = spawnSync("systemd-analyze", ["verify", file("bonevalue.service", installed)], {
    encoding: "utf8",
  });
  expect(`${stderr}${stdout}`).not.toMatch(/bonevalue\.service:\d+:|Unknown|Failed to parse/);
});

test("Caddy adapts the snippet, or its braces match", () => {
  const text = snippet("caddy");
  expect(text.split("{").length).toBe(text.split("}").length);
  if (!isInstalled("caddy", "version")) return;
  execFileSync("caddy", ["adapt", "--config", file("Caddyfile", text), "--adapter", "caddyfile"], { stdio: "pipe" });
});

test("the Dockerfile has known instructions only, and runs the server without a shell", () => {
  const lines = snippet("dockerfile").trim().split("\n");
  const known = /^(FROM|WORKDIR|RUN|USER|VOLUME|EXPOSE|STOPSIGNAL|HEALTHCHECK|ENTRYPOINT|CMD) \S/;
  for (const line of lines) expect(line).toMatch(known);
  expect(lines[0]).toMatch(/^FROM node:\d+/);
  // A list is not run by a shell, which would not pass SIGTERM on.
  for (const name of ["ENTRYPOINT", "CMD"]) {
    const line = lines.find((one) => one.startsWith(`${name} `))!;
    expect(JSON.parse(line.slice(name.length))).toEqual(expect.arrayContaining([expect.any(String)]));
  }
  expect(lines.join("\n")).toContain("bonevalue-server/dist/cli.js");
});
