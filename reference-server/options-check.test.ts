import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test, vi } from "vitest";
import { defaultLog } from "./log.ts";
import { nodeProblem } from "./node-version.ts";
import { createServer, type ServerOptions } from "./server.ts";
import { openSqliteStore } from "./store/sqlite.ts";

const basics: ServerOptions = { port: 0, store: ":memory:", log: defaultLog("silent") };

/** Starts a server until the test ends. */
async function created(options: ServerOptions) {
  const server = await createServer({ ...basics, ...options });
  onTestFinished(() => server.close());
  return server;
}

test.each<[string, ServerOptions, RegExp]>([
  ["a path without a slash", { path: "p2p" }, /The path "p2p" is invalid: .* to a path such as \/p2p/],
  ["a path with a query", { path: "/p2p?x" }, /The path ".*" is invalid/],
  ["a path that a browser spells otherwise", { path: "/a b" }, /The path ".*" is invalid/],
  ["a port that is none", { port: 65_536 }, /whole number from 0 to 65535, not 65536/],
  ["half a port", { port: 80.5 }, /not 80\.5/],
  ["one origin in place of a list", { origins: "https://app.example.org" as never }, /`origins` must be a list/],
  ["rooms that are no function", { rooms: "no" as never }, /`rooms` must be true, false or a function/],
  ["tokens for a function", { authenticate: { ann: 1 } as never }, /`authenticate` must be a function/],
  ["a list of trusted users", { trusted: [] as never }, /`trusted` must be a function/],
  ["an origin without its scheme", { origins: ["app.example.org"] }, /"app\.example\.org" is not an origin/],
  ["an origin with a path", { origins: ["https://app.example.org/"] }, /is not an origin/],
  [
    "an origin with a wildcard within a label",
    { origins: ["https://a*.example.org"] },
    /supports one \* as the whole first label/,
  ],
  ["an origin with two wildcards", { origins: ["https://*.*.example.org"] }, /supports one \*/],
  ["an origin with a wildcard elsewhere", { origins: ["https://a.*.org"] }, /supports one \*/],
  ["an origin that is only a wildcard", { origins: ["*"] }, /supports one \*/],
  [
    "a public URL without the path",
    { path: "/p2p", publicUrl: "https://bv.example.org" },
    /Invitations to https:\/\/bv\.example\.org would not reach the path \/p2p/,
  ],
  ["a public URL with a query", { publicUrl: "https://bv.example.org/?app=1" }, /"https:\/\/bv.*, without a query/],
  ["a public URL with a fragment", { publicUrl: "https://bv.example.org/#p2p" }, /, without a query or fragment/],
  ["a public URL with a space", { publicUrl: "https://bv.example.org " }, /Browsers cannot open links below/],
  ["a node URL with a query", { nodeUrl: "https://node1.example.org/?x" }, /, without a query or fragment/],
  ["a name with a line break", { name: "Todo\r\nBcc: eve@example.org" }, /1 to 64 visible characters/],
  ["a blank name", { name: " " }, /1 to 64 visible characters/],
  [
    "an app that browsers cannot open",
    { appUrl: "javascript:alert(1)" },
    /Browsers cannot open "javascript:alert\(1\)"/,
  ],
  ["an origin in capitals", { origins: ["https://App.example.org"] }, /is not an origin/],
  ["a negative limit", { limits: { grace: -1 } }, /The limit grace must be a whole number of at least 0, not -1\.$/],
  ["a fractional limit", { limits: { frameSize: 0.5 } }, /frameSize must be a whole number of at least 0, not 0\.5/],
  ["a limit that is no number", { limits: { tokens: Number.NaN } }, /tokens must be a whole number/],
  ["a rate of zero", { limits: { frameRate: 0 } }, /frameRate must be a whole number of at least 1, not 0/],
  [
    "no session for an account",
    { limits: { sessionsPerAccount: 0 } },
    /sessionsPerAccount must be a whole number of at least 1, not 0/,
  ],
  [
    "a node URL that browsers cannot reach",
    { nodeUrl: "node1.example.org" },
    /Browsers cannot reach "node1\.example\.org"/,
  ],
  [
    "a node URL without the path",
    { path: "/p2p", nodeUrl: "https://node1.example.org" },
    /Relayed links to https:\/\/node1\.example\.org would not reach the path \/p2p/,
  ],
  ["a rate of zero for relayed links", { relay: { bytesPerSecond: 0 } }, /bytesPerSecond must be .* at least 1, not 0/],
  ["a limit that there is not for relayed links", { relay: { frames: 1 } as object }, /There is no limit "frames"/],
  ["a limit that there is not", { limits: { frames: 1 } as object }, /There is no limit "frames"/],
  ["a network with too many bits", { proxies: ["10.0.0.0/33"] }, /"10\.0\.0\.0\/33" is not an IP address or network/],
  ["a network with none", { metricsReaders: ["10.0.0.0/"] }, /is not an IP address or network/],
  [
    "a certificate that is none",
    { tls: { cert: "x", key: "y" } },
    /certificate and key cannot be used .*both must be PEM/,
  ],
  ["a store of another kind", { store: "mysql://u:secret@db/x" }, /^The store .* is not supported/],
])("%s is refused in one sentence", async (_, options, words) => {
  const refusal: unknown = await created(options).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(Error);
  expect((refusal as Error).message).toMatch(words);
  expect((refusal as Error).message).not.toMatch(/\n|secret/);
});

test("a link has one slash after the public URL, however many that ends with", async () => {
  const { accounts } = await created({ publicUrl: "https://bv.example.org/p2p//" });
  expect((await accounts.invite("ann@example.org")).link).toMatch(/^https:\/\/bv\.example\.org\/p2p\/invite#/);
});

test("an undefined option is the default", async () => {
  const nothing = Object.fromEntries(
    ["host", "server", "tls", "path", "publicUrl", "cluster", "origins", "authenticate", "trusted", "mail", "ice"]
      .concat(["proxies", "metricsReaders", "insecure", "limits", "clock"])
      .map((name) => [name, undefined]),
  );
  expect((await created(nothing)).url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+$/);
});

test.each(["https://app.example.org:8443", "null", "capacitor://localhost", "http://[::1]:3000"])(
  "%s is an origin",
  async (origin) => {
    await created({ origins: [origin] });
  },
);

test.each([
  ["no database", 0],
  ["a damaged one", 100],
])("a file that is %s is refused with what to do", async (_, from) => {
  const folder = await mkdtemp(join(tmpdir(), "bonevalue-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const store = join(folder, "server.db");
  await (await openSqliteStore(store)).close();
  const bytes = await readFile(store);
  await writeFile(store, bytes.fill(0xee, from));
  await expect(created({ store })).rejects.toThrow(/not a SQLite file or is damaged/);
});

test("a database of a newer version is reported with what to do", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bonevalue-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const store = join(folder, "server.db");
  await (await openSqliteStore(store)).close();
  const database = new DatabaseSync(store);
  database.exec("insert into kysely_migration values ('2999-future', '2999-01-01')");
  database.close();
  await expect(created({ store })).rejects.toThrow(
    /written by a newer version of bonevalue-server: update bonevalue-server, or restore a backup/,
  );
});

test("a store path that is a folder or in a missing folder is reported with what to do", async () => {
  for (const store of [tmpdir(), "/nowhere/server.db"])
    await expect(created({ store })).rejects.toThrow(/cannot be opened .*check the path and its write permissions/);
});

test("an unsupported Node version is reported", async () => {
  expect(["22.13.0", "23.0.0", "24.1.2"].map((version) => nodeProblem(version))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  for (const version of ["22.12.9", "20.19.0", "0.12.0"])
    expect(nodeProblem(version)).toMatch(/22\.13 or newer; this is v/);
  const versions = { ...process.versions };
  vi.spyOn(process, "versions", "get").mockReturnValue({ ...versions, node: "20.19.0" });
  onTestFinished(() => void vi.restoreAllMocks());
  await expect(created({})).rejects.toThrow("bonevalue-server needs Node 22.13 or newer; this is v20.19.0.");
});
