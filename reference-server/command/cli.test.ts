import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer as createSmtp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { connect as connectTls } from "node:tls";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { until } from "../../tools/eventually.ts";
import { defaultLog } from "../log.ts";
import { createServer } from "../server.ts";
import { selfSigned } from "../testing/certificate.ts";
import { startPostgres, type TestPostgres } from "../testing/postgres.ts";
import { openClient } from "../testing/test-client.ts";
import { signedIn } from "../testing/test-server.ts";
import { describeFlags, readFlags } from "./flags.ts";
import { run } from "./run.ts";
import { serveFlags, toServerOptions } from "./serve.ts";

const cli = fileURLToPath(new URL("../cli.ts", import.meta.url));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bonevalue-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command in a process and folder of its own. */
function command(args: readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [cli, ...args],
      { cwd: folder, env: { ...process.env, ...env } },
      (_, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    );
    child.stdin?.end(input);
  });
}

/** Runs a command in this process, with `input` piped to it; returns its exit code and what it prints. */
async function runHere(args: readonly string[], input: Iterable<string> = []) {
  const spies = [vi.spyOn(console, "log"), vi.spyOn(console, "error")].map((spy) => spy.mockImplementation(() => {}));
  const stdin = vi.spyOn(process, "stdin", "get");
  stdin.mockReturnValue(Readable.from(input, { objectMode: false }) as typeof process.stdin);
  try {
    const code = await run(args, {});
    const [out, error] = spies.map(({ mock }) => mock.calls.map(([line]) => String(line)).join("\n"));
    return { code, out, error };
  } finally {
    for (const spy of [...spies, stdin]) spy.mockRestore();
  }
}

/** Runs a server until the test ends; resolves when it listens. */
async function serving(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [cli, "serve", "--port", "0", ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit").then(([code]) => code as number);
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  let rest = "";
  child.stdout.on("data", (chunk) => {
    const parts = `${rest}${chunk}`.split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) lines.push(JSON.parse(line));
    for (const look of waiting) look();
  });
  const logged = (message: string) =>
    new Promise<Record<string, unknown>>((resolve) => {
      const look = () => {
        const found = lines.find(({ msg }) => msg === message);
        if (found) resolve(found);
      };
      waiting.add(look);
      look();
    });
  const { url } = await logged("listening");
  return { url: String(url), logged, lines, exited, stop: (signal: NodeJS.Signals) => child.kill(signal) };
}

describe("the command line", () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres.stop());

  test("an account that is added on the command line can sign in to a running server", async () => {
    const server = await serving();
    const added = await command(["user", "add", "ann"], "correct horse\nand more\n");
    expect(added).toMatchObject({ code: 0, err: "" });
    const client = await openClient(server.url);
    await signedIn(client, { username: "ann", password: "correct horse" });
    server.stop("SIGTERM");
    expect(await client.closed).toBe(1012);
    expect(client.received.at(-1)?.type).toBe("reconnect");
    expect(await server.exited).toBe(0);
  });

  test("pages can sign in to rooms with --rooms only", async () => {
    const [open, closed] = [await serving(["--rooms"]), await serving()];
    expect((await signedIn(await openClient(open.url), { room: "demo", name: "Ann" })).peers).toEqual([]);
    const refused = await openClient(closed.url);
    refused.send("authenticate", { version: 1, room: "demo" });
    expect((await refused.next("error")).data).toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("--rooms"),
    });
  });

  test.each([
    ["in the way of Windows", "correct horse\r\nand more\r\n"],
    ["behind a byte order mark", "\uFEFFcorrect horse\n"],
    ["without an end", "correct horse"],
  ])("a password is the first line of what is piped, %s", async (_, input) => {
    const store = join(folder, "bonevalue.db");
    expect(await runHere(["user", "add", "ann", "--store", store], input)).toMatchObject({ code: 0, error: "" });
    const server = await createServer({ port: 0, store, log: defaultLog("silent") });
    onTestFinished(() => server.close());
    const ann = await signedIn(await openClient(server.url), { username: "ann", password: "correct horse" });
    await ann.break();
  });

  test("a password can be piped without ending the pipe", async () => {
    const child = spawn(process.execPath, [cli, "user", "add", "ann"], {
      cwd: folder,
      stdio: ["pipe", "ignore", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    child.stdin.write("correct horse\r\n");
    expect((await once(child, "exit"))[0]).toBe(0);
  });

  test("a command for accounts with wrong or hostile input prints one line of error, and changes nothing", async () => {
    const password = "correct horse";
    const missing = /There is no account "nobody"/;
    const invalidName = /A user name has 1 to 256 visible characters/;
    const tooShort = /A password has at least 8 characters/;
    const tooLong = /A password has at most 1024 bytes/;
    const noStore = /There is no store at .*: set --store to the file of the server/;

    function* endless(): Iterable<string> {
      for (;;) yield "x".repeat(65_536);
    }

    // biome-ignore lint/correctness/useYield: It fails when it is read.
    function* unread(): Iterable<string> {
      throw new Error("The password was asked for.");
    }

    const cases: readonly [args: string, input: Iterable<string>, error: RegExp][] = [
      ["remove nobody", "", missing],
      ["password nobody", unread(), missing],
      ["sessions nobody", "", missing],
      ["trust ann Bob nobody Ann", "", missing],
      ["trust nobody Ann ann Nobody", "", missing],
      ["add ann", unread(), /The account "ann" exists already/],
      ["add ", unread(), invalidName],
      [`add ${"x".repeat(257)}`, unread(), invalidName],
      ["add cat\u200b", unread(), invalidName],
      ["add cat\u3164", unread(), invalidName],
      ["add \u3000", unread(), invalidName],
      ["add a\u0000b", unread(), invalidName],
      ["add \u001b[31mred", unread(), invalidName],
      ["remove ", "", /There is no account ""/],
      ["remove \u001b[31m\nred", "", /There is no account "\\u001b\[31m\\u000ared"/],
      ["trust ann Ann ann Ann", "", /trust each other already, or are the same user/],
      ["trust ann Us bob Ann", "", /This name is reserved/],
      ["trust ann * bob Ann", "", /This name is reserved/],
      ["trust ann  bob Ann", "", /This name is not 1 to 64 characters long/],
      ["trust ann Bob bob A\u001b[0m", "", /This name contains invisible characters/],
      ["add cat", "", tooShort],
      ["add cat", `\n${password}`, tooShort],
      ["add cat", "x".repeat(1_025), tooLong],
      ["add cat", endless(), tooLong],
      ["password ann", "", tooShort],
      ["password ann", endless(), tooLong],
      ...["list", "remove ann", "password ann", "sessions ann", "trust ann Bob bob Ann"].flatMap(
        (args): [string, Iterable<string>, RegExp][] => [
          [`${args} --store none.db`, unread(), noStore],
          [`${args} --store text.db`, unread(), /text\.db cannot be opened .*not a SQLite file or is damaged/],
        ],
      ),
      ["add ann --store none/new.db", password, /cannot be opened .*check the path/],
      ["add ann --store mysql://127.0.0.1/x", password, /use the path of a file or a postgres:\/\/ URL/],
    ];

    await writeFile(
      join(folder, "text.db"),
      "This is a text, which is longer than the header of a database. ".repeat(10),
    );
    const store = ["--store", join(folder, "bonevalue.db")];
    for (const name of ["ann", "bob"]) await runHere(["user", "add", name, ...store], password);
    const rows = () => {
      const database = new DatabaseSync(store[1]!);
      const tables = ["accounts", "trust", "sessions", "changes"];
      const all = tables.map((table) => database.prepare(`select * from ${table}`).all());
      database.close();
      return all;
    };
    const before = rows();
    for (const [line, input, error] of cases) {
      const [args = "", path] = line.split(" --store ");
      const where = path === undefined || path.includes(":") ? path : join(folder, path);
      const ended = await runHere(["user", ...args.split(" "), "--store", where ?? store[1]!], input);
      expect([line, ended]).toEqual([line, { code: 1, out: "", error: expect.stringMatching(error) }]);
      expect(ended.error).toMatch(/^[^\p{Cc}]+$/u);
    }
    expect(rows()).toEqual(before);
    expect((await readdir(folder)).filter((name) => !name.startsWith("bonevalue.db"))).toEqual(["text.db"]);
  });

  test("there is no default account, and no default password", async () => {
    const server = await serving();
    for (const [username, password] of [
      ["admin", "admin"],
      ["admin", "test"],
      ["root", ""],
    ]) {
      const client = await openClient(server.url);
      client.send("authenticate", { version: 1, username, password });
      expect(await client.closed).toBe(4001);
    }
  });

  test("invite prints a one-use link to the public URL of the server", async () => {
    const { out, code } = await command(["invite", "Ann@example.org", "--url", "https://bv.example.org"]);
    expect(code).toBe(0);
    const invite = /^https:\/\/bv\.example\.org\/invite#(\S{43})$/m.exec(out)?.[1];
    const server = await serving();
    const client = await openClient(server.url);
    client.send("acceptInvite", { version: 1, invite, password: "a good secret" });
    expect((await client.next("setPeerId")).data.username).toBe("ann@example.org");
    expect((await command(["invite", "ann@example.org"])).err).toMatch(/already has an account/);

    await command(["user", "add", "bob"], "correct horse");
    const bob = await signedIn(await openClient(server.url), { username: "bob", password: "correct horse" });
    const both = await command(["invite", "ann@example.org", "bob", "Ann", "Bob"]);
    expect(both.out).toMatch(/The owner of the account ann@example\.org accepts with its password\./);
    const again = await openClient(server.url);
    const second = /invite#(\S{43})$/m.exec(both.out)?.[1];
    again.send("acceptInvite", { version: 1, invite: second, password: "a good secret" });
    expect((await again.next("userList")).data).toEqual(["Bob"]);
    expect((await bob.next("userAdd")).data).toBe("Ann");
  });

  test("errors are printed in one line", async () => {
    const cases: readonly [string[], number, RegExp][] = [
      [[], 2, /bonevalue-server serve/],
      [["user", "rename", "ann"], 2, /bonevalue-server user add NAME.*unknown command "user rename ann"/s],
      [["user", "rename", "\u001b[31m"], 2, /unknown command "user rename \\u001b\[31m"\.$/],
      [["serve", "--prot", "1"], 1, /^bonevalue-server: Unknown option '--prot'/],
      [["serve", "--port", "many"], 1, /--port must be a number/],
      [["serve", "--url", "foo"], 1, /--url.* to a URL such as https:/],
      [["invite", "ann@example.org", "--url", "bv.example.org:8000"], 1, /--url.* to a URL such as https:/],
      [["serve", "--ice", "example.org"], 1, /--ice must be a stun:/],
      [["serve", "--host", "0.0.0.0"], 1, /--cert and --key.*--insecure/],
      [["serve", "--store", "/nowhere/x.db"], 1, /cannot be opened/],
      [["serve", "--cluster", "redis://127.0.0.1"], 1, /postgres:\/\//],
      [["serve", "--smtp", "smtp://127.0.0.1"], 1, /--mail-from/],
      [["serve", "--cert", "x.pem"], 1, /--key/],
      [
        ["serve", "--cert", "x.pem", "--key", "y.pem"],
        1,
        /^bonevalue-server: The file of --cert cannot be read \(.*x\.pem.*\): check the path and its permissions\.$/m,
      ],
      [["serve", "--path", "p2p"], 1, /to a path such as \/p2p/],
      [["serve", "--port", ""], 1, /--port must be a number, not ""/],
      [["serve", "--port", "70000"], 1, /from 0 to 65535, not 70000/],
      [["serve", "--origin", "app.example.org"], 1, /is not an origin/],
      [["serve", "--log-level", "loud"], 1, /--log-level must be debug, info, warn or error/],
      [["serve", "--smtp", "mail.example.org", "--mail-from", "a@b.c"], 1, /--smtp must be an smtp:\/\//],
      [["user", "add", "ann", "--store", "."], 1, /cannot be opened/],
      [["invite", "nobody", "--store", ":memory:"], 1, /not a valid e-mail address/],
      [["invite", "a@b.c", "ann", "A", "B", "--store", ":memory:"], 1, /There is no account "ann"/],
      [["serve", "--name", "\n", "--store", ":memory:"], 1, /--name.*1 to 64 visible characters/],
      [["serve", "--app-url", "app", "--store", ":memory:"], 1, /--app-url.* to a URL such as https:/],
      [["ban", "ann", "x", "2030-01-01", "--store", ":memory:"], 1, /for a "user" or an "address", not for a "ann"/],
      [["ban", "user", "ann", "soon", "--store", ":memory:"], 1, /must be a date in the future/],
      [["ban", "address", "ann", "2999-01-01", "--store", ":memory:"], 1, /"ann" is not an IP address/],
      [["unban", "user", "ann", "--store", ":memory:"], 1, /There is no such ban/],
    ];
    for (const [args, code, words] of cases) {
      const { error, code: actual } = await runHere(args);
      expect([args, actual]).toEqual([args, code]);
      expect(error).toMatch(words);
      expect(error).not.toMatch(/^\s+at /m);
    }
    const { err, code } = await command(["user", "add", "ann"]);
    expect([err, code]).toEqual([expect.stringMatching(/at least 8 characters/), 1]);
  });

  test("a port in use is reported in one line", async () => {
    const { url } = await serving();
    const { code, err } = await command(["serve", "--port", new URL(url).port]);
    expect(code).toBe(1);
    expect(err).toMatch(/^bonevalue-server: Port \d+ on 127\.0\.0\.1 is in use/);
  });

  test("--help explains every flag and its environment variable", async () => {
    const { code, out } = await command(["serve", "--help"]);
    expect(code).toBe(0);
    for (const name of Object.keys(serveFlags)) {
      expect(out).toMatch(new RegExp(`^  --${name}\\b.*BONEVALUE_${name.toUpperCase().replaceAll("-", "_")}$`, "m"));
    }
  });

  test("--version says the package's version", async () => {
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    for (const args of [["--version"], ["serve", "--version"]]) {
      expect(await command(args)).toEqual({ code: 0, out: `${version}\n`, err: "" });
    }
  });

  test.each([
    ["SQLite", async () => join(folder, "bonevalue.db")],
    ["PostgreSQL", () => postgres.database()],
  ])("changes of accounts take effect in a server that runs, with %s", async (_, place) => {
    const store = await place();
    const administer = (args: readonly string[], input?: string) => runHere([...args, "--store", store], input);
    const server = await serving(["--store", store]);
    for (const name of ["ann", "bob"]) await administer(["user", "add", name], "correct horse");
    expect((await administer(["user", "list"])).out).toBe("ann\nbob");
    const sign = async (username: string, secret: string) =>
      signedIn(await openClient(server.url), { username, password: secret });
    const [ann, bob] = [await sign("ann", "correct horse"), await sign("bob", "correct horse")];
    expect((await administer(["user", "sessions", "ann"])).out).toMatch(new RegExp(`^${ann.id}  20\\d\\d-.*Z$`));

    await administer(["user", "trust", "ann", "Bob", "bob", "Ann"]);
    expect((await ann.next("userAdd")).data).toBe("Bob");
    expect((await bob.next("peerConnect")).data).toEqual({ name: "Ann", id: ann.id });

    expect((await administer(["user", "password", "ann"], "short")).error).toMatch(/at least 8 characters/);
    await administer(["user", "password", "ann"], "battery staple");
    expect(await ann.closed).toBe(4001);
    expect((await bob.next("peerDisconnect")).data).toBe(ann.id);
    const again = await sign("ann", "battery staple");

    await administer(["user", "remove", "ann"]);
    expect(await again.closed).toBe(4001);
    expect((await bob.next("userRemove")).data).toBe("Ann");
    expect((await administer(["user", "list"])).out).toBe("bob");
    expect((await administer(["user", "remove", "ann"])).error).toMatch(/There is no account "ann"/);

    await administer(["kick", bob.id]);
    expect(await bob.closed).toBe(4001);
    const bobAgain = await sign("bob", "correct horse");
    expect((await administer(["ban", "user", "bob", "2999-12-31"])).out).toBe("user bob  2999-12-31T00:00:00.000Z");
    expect(await bobAgain.closed).toBe(4001);
    await expect(sign("bob", "correct horse")).rejects.toThrow("is blocked until");
    await administer(["unban", "user", "bob"]);
    expect((await administer(["ban"])).out).toBe("");
  });

  test("a backup of a running server contains its last change", async () => {
    await serving();
    const [store, copy, other, none] = ["bonevalue.db", "copy.db", "other.db", "none.db"].map((name) =>
      join(folder, name),
    ) as [string, string, string, string];
    await runHere(["user", "add", "ann", "--store", store], ["correct horse"]);
    expect(await runHere(["backup", copy, "--store", store])).toMatchObject({ code: 0, error: "" });
    await runHere(["user", "add", "bob", "--store", store], ["correct horse"]);
    expect((await runHere(["user", "list", "--store", copy])).out).toBe("ann");
    expect((await runHere(["backup", copy, "--store", store])).error).toMatch(/copy\.db exists already/);
    expect((await runHere(["backup", other, "--store", none])).error).toMatch(/There is no store at .*none\.db/);
    expect((await runHere(["backup", other, "--store", "postgres://127.0.0.1/x"])).error).toMatch(/pg_dump/);
  });

  test("a backup does not change its source, which may belong to an older version, and is private", async () => {
    const [source, target] = [join(folder, "old.db"), join(folder, "copy.db")];
    const old = new DatabaseSync(source);
    old.exec(
      "create table accounts (username text primary key, password text); insert into accounts values ('ann', null)",
    );
    old.close();
    const before = await readFile(source);
    expect(await runHere(["backup", target, "--store", source])).toMatchObject({ code: 0, error: "" });
    expect((await readFile(source)).equals(before)).toBe(true);
    expect((await stat(target)).mode & 0o777).toBe(0o600);
    const copy = new DatabaseSync(target);
    expect(copy.prepare("select username from accounts").all()).toEqual([{ username: "ann" }]);
    copy.close();
  });

  test("a backup that fails says why in one line, and leaves no file", async () => {
    const [text, empty, good] = ["text.db", "empty.db", "good.db"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(text, "This is a text, which is longer than the header of a database. ".repeat(10));
    await writeFile(empty, "");
    const database = new DatabaseSync(good);
    database.exec("create table accounts (username text)");
    database.close();
    const target = join(folder, "copy.db");
    for (const source of [text, empty]) {
      const { code, error } = await runHere(["backup", target, "--store", source]);
      expect([code, error]).toEqual([1, expect.stringMatching(/^.*is not a store: set --store.*$/)]);
    }
    const unreadable = await runHere(["backup", target, "--store", folder]);
    expect(unreadable.error).toMatch(/^.* cannot be read \(.*\): check the path and its permissions.*$/);
    const { code, error } = await runHere(["backup", join(folder, "none", "copy.db"), "--store", good]);
    expect([code, error]).toEqual([1, expect.stringMatching(/^.*cannot be written .*check the folder.*$/)]);
    expect((await readdir(folder)).sort()).toEqual(["empty.db", "good.db", "text.db"]);
  });

  test("a certificate is reloaded when its files change and on SIGHUP, and sockets stay open", async () => {
    const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    const write = async () => {
      const certificate = await selfSigned();
      await Promise.all([writeFile(cert, certificate.cert), writeFile(key, certificate.key)]);
    };
    await write();
    const server = await serving(["--cert", cert, "--key", key]);
    const fingerprint = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connectTls({ port: Number(new URL(server.url).port), rejectUnauthorized: false }, () => {
          resolve(socket.getPeerCertificate().fingerprint256);
          socket.destroy();
        }).on("error", reject);
      });
    const client = await openClient(server.url, { rejectUnauthorized: false });
    const first = await fingerprint();
    await write();
    await until(async () => (await fingerprint()) !== first, { timeout: 10_000 });

    await writeFile(cert, "half a certificate");
    server.stop("SIGHUP");
    await server.logged("the certificate cannot be reloaded; the old one stays in use");
    expect(await fingerprint()).not.toBe(first);
    expect(client.socket.readyState).toBe(1);
    client.socket.terminate();
  });

  test("SIGHUP does not end a server without a certificate", async () => {
    const server = await serving();
    server.stop("SIGHUP");
    await server.logged("SIGHUP: no certificate to reload");
    (await openClient(server.url)).socket.terminate();
  });

  test.each([
    ["its parent has", "SIGTERM", ""],
    // SIGHUP and SIGKILL end npm, but not its shell.
    ["the parent of its shell has", "SIGKILL", 'sh -c "$SERVE" & wait'],
  ] as const)("under npx and npm scripts, the server stops when %s ended", async (_, signal, inShell) => {
    if (inShell && process.platform !== "linux") return;
    const script = `"${process.execPath}" "${cli}" serve --port 0 & wait`;
    const env = { ...process.env, npm_execpath: "npm", SERVE: script };
    const shell = spawn("sh", ["-c", inShell || script], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    shell.stdout.on("data", (chunk) => {
      output += chunk;
    });
    const ended = once(shell.stdout, "end");
    await until(() => output.includes('"listening"'));
    shell.kill(signal);
    await ended;
    expect(output).toContain("the parent process has ended");
  });

  test("mail is sent through the given SMTP server", async () => {
    const mail = await smtpServer();
    const server = await serving([
      "--smtp",
      mail.url,
      "--mail-from",
      "bv@example.org",
      "--url",
      "https://bv.example.org",
      ...["--name", "Todo", "--app-url", "https://todo.example.org"],
    ]);
    await command(["user", "add", "ann"], "correct horse");
    const client = await openClient(server.url);
    const ann = await signedIn(client, { username: "ann", password: "correct horse" });
    await ann.request("inviteUser", { email: "bob@example.org" });
    const text = await mail.received;
    expect(text).toMatch(/^To: bob@example\.org$/m);
    expect(text).toMatch(/^Subject: You are invited to Todo$/m);
    expect(text).toMatch(/^ann invites you to Todo\.$/m);
    expect(text).toMatch(/^Todo: https:\/\/todo\.example\.org$/m);
    expect(text).toMatch(/https:\/\/bv\.example\.org\/invite#/);
    expect(JSON.stringify(server.lines)).not.toContain("invite#");
  });

  test("without SMTP the link of an invitation is logged", async () => {
    const server = await serving();
    await command(["user", "add", "ann"], "correct horse");
    const ann = await signedIn(await openClient(server.url), { username: "ann", password: "correct horse" });
    await ann.request("inviteUser", { email: "bob@example.org" });
    expect(await server.logged("invitation created: send this link to the invited person")).toMatchObject({
      to: "bob@example.org",
    });
  });
});

test("environment variables replace missing flags, and flags take precedence", () => {
  const env = {
    BONEVALUE_PORT: "9000",
    BONEVALUE_HOST: "10.0.0.1",
    BONEVALUE_INSECURE: "1",
    BONEVALUE_ORIGIN: "https://a.example.org  https://b.example.org",
    BONEVALUE_ICE_SECRET: "shared",
    BONEVALUE_ICE: "stun:s.example.org turn:t.example.org",
  };
  const { values } = readFlags(serveFlags, ["--host", "10.0.0.2", "--proxy", "10.0.0.0/8", "--proxy", "::1"], env);
  expect(toServerOptions(values)).toMatchObject({
    ...{ host: "10.0.0.2", port: 9_000, insecure: true, proxies: ["10.0.0.0/8", "::1"] },
    origins: ["https://a.example.org", "https://b.example.org"],
    ice: [{ urls: "stun:s.example.org" }, { urls: "turn:t.example.org", secret: "shared" }],
    limits: { drain: 0 },
  });
  expect(toServerOptions({ cluster: "redis://x" }).limits).toEqual({ drain: 10_000 });
  expect(readFlags(serveFlags, [], { BONEVALUE_INSECURE: "0" }).values.insecure).toBe(false);
});

test("the help fits the width of a terminal", () => {
  for (const line of describeFlags(serveFlags).split("\n")) expect(line.length).toBeLessThanOrEqual(90);
});

/** Starts an SMTP server that receives one mail. */
async function smtpServer(): Promise<{ url: string; received: Promise<string> }> {
  let arrived: (text: string) => void;
  const received = new Promise<string>((resolve) => {
    arrived = resolve;
  });
  const server = createSmtp((socket) => {
    let text = "";
    let inData = false;
    socket.write("220 ready\r\n");
    socket.on("data", (chunk) => {
      text += chunk;
      if (inData && text.endsWith("\r\n.\r\n")) {
        inData = false;
        arrived(text.replaceAll("=\r\n", "").replaceAll("\r\n", "\n"));
        socket.write("250 taken\r\n");
      } else if (!inData && text.endsWith("DATA\r\n")) {
        inData = true;
        socket.write("354 go on\r\n");
      } else if (!inData) {
        socket.write("250 fine\r\n");
      }
    });
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `smtp://127.0.0.1:${(server.address() as { port: number }).port}`, received };
}
