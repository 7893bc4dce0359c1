import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { manifestOf, type Package, root, server } from "./entries.ts";
import { ownBundlers } from "./packaging/bundlers.ts";
import { runTrial, type Trial } from "./packaging/trial.ts";
import { typescriptTrials } from "./packaging/typescript.ts";
import { install, linkPackage, packAll, type Tarball } from "./packed.ts";
import { snippetsOf } from "./snippets.ts";

const oldestFolder = `${root}tools/packaging/typescript-oldest/node_modules/typescript`;
const { version: oldest } = JSON.parse(readFileSync(`${oldestFolder}/package.json`, "utf8"));
const trials: readonly Trial[] = [
  ...ownBundlers,
  ...typescriptTrials(oldest.match(/^\d+\.\d+/)![0], ["node", `${oldestFolder}/bin/tsc`]),
];

let packs: string;
let tarballs: ReadonlyMap<Package, Tarball>;
beforeAll(() => {
  packs = mkdtempSync(join(tmpdir(), "bonevalue-packs-"));
  tarballs = packAll(packs);
});
afterAll(() => rmSync(packs, { recursive: true }));

// Most of the time is the tools' own, so a busy machine gets more of it.
test.for(trials)("$name", { timeout: 240_000 }, (trial) => {
  const folder = mkdtempSync(join(tmpdir(), "bonevalue-program-"));
  for (const [one, tarball] of tarballs) install(one, tarball, folder);
  for (const name of Object.keys(trial.packages)) linkPackage(name, folder);
  expect(runTrial(trial, folder).failure).toBeUndefined();
  rmSync(folder, { recursive: true });
});

test("the README names the oldest TypeScript that is tried", () => {
  const [version] = oldest.match(/^\d+\.\d+/);
  expect(readFileSync(`${root}README.md`, "utf8")).toContain(`TypeScript ${version}`);
});

test("the Dockerfile of the documentation builds an image that runs the server", { timeout: 600_000 }, ({ skip }) => {
  const docker = (...args: string[]) => execFileSync("docker", args, { encoding: "utf8" }).trim();
  skip(spawnSync("docker", ["info"], { stdio: "ignore" }).status !== 0, "No container engine runs here.");
  const path = "docs/deploy/proxies.md";
  const [dockerfile] = snippetsOf(path, readFileSync(root + path, "utf8")).filter(
    ({ language }) => language === "dockerfile",
  );
  const tarball = basename(tarballs.get(server)!.path);
  // The package may not be published yet.
  const install = (command: string) => `COPY ${tarball} /\n${command.replace(server.name, `/${tarball}`)}`;
  const file = join(packs, "Dockerfile");
  writeFileSync(file, dockerfile!.text.replace(/^RUN npm install .*$/m, install));
  const image = docker("build", "--quiet", "--file", file, packs);
  expect(docker("run", "--rm", image, "--version")).toBe(manifestOf(server)["version"]);
  docker("rmi", image);
});
