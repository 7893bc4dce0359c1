import { describe, expect, test } from "vitest";
import { createClient } from "./client.ts";
import { definePresence } from "./presence/definition.ts";
import { createLatestCall } from "./rpc/latest-call.ts";
import { defineModule } from "./rpc/module.ts";
import { stream } from "./rpc/streams/stream-schema.ts";
import { createNetwork } from "./testing/network.ts";

/** A client as a script tag sees it: nothing checks its types. */
async function untyped(): Promise<any> {
  const client = createNetwork().client("ann");
  await client.connect("test", "ann", "");
  return client;
}

const given = (...lists: readonly (readonly unknown[])[]) => lists.map((args) => ({ args }));

describe("a wrong argument from untyped code is an error that says what to pass", () => {
  test.for(
    given(
      [],
      ["host"],
      ["host", null],
      ["host", 5],
      ["host", {}],
      ["host", "ann", 1234],
      ["host", { username: "ann" }],
      ["host", { invite: "abc" }],
      ["host", { token: 5 }],
    ),
  )("connect with $args", async ({ args }) => {
    const client: any = createNetwork().client("ann");
    await expect(client.connect(...args)).rejects.toMatchObject({
      code: "unauthenticated",
      message: expect.stringContaining("connect(host, username, password)"),
    });
    expect(client.status.peek()).toBe("offline");
  });

  test.for([
    { code: "invalid-request", credentials: { room: "" } },
    { code: "invalid-request", credentials: { room: 5 } },
    { code: "invalid-request", credentials: { room: "x".repeat(129) } },
    { code: "invalid-request", credentials: { room: "x".repeat(10_000_000) } },
    { code: "invalid-request", credentials: { room: "\ud800" } },
    { code: "invalid-request", credentials: { room: "demo", username: "ann", password: "" } },
    { code: "invalid-request", credentials: { room: "demo", token: "abc" } },
    { code: "invalid-request", credentials: { room: "demo", invite: "abc" } },
    { code: "invalid-request", credentials: { room: "demo", secret: "unknown to this version" } },
    { code: "invalid-request", credentials: { username: "ann", password: "", token: "abc" } },
    { code: "invalid-request", credentials: { token: "abc", name: "Ann" } },
    { code: "alias-reserved", credentials: { room: "demo", name: "" } },
    { code: "alias-reserved", credentials: { room: "demo", name: 5 } },
    { code: "alias-reserved", credentials: { room: "demo", name: "x".repeat(65) } },
    { code: "alias-reserved", credentials: { room: "demo", name: "x".repeat(10_000_000) } },
    { code: "alias-reserved", credentials: { room: "demo", name: "*" } },
    { code: "alias-reserved", credentials: { room: "demo", name: "Us" } },
    { code: "alias-reserved", credentials: { room: "demo", name: "0123456789ABCDEF0123456789abcdef" } },
    { code: "alias-reserved", credentials: { room: "demo", name: "A\u0000nn" } },
    { code: "alias-reserved", credentials: { room: "demo", name: "Ann\u200b" } },
  ])("connect with credentials that are $code", async ({ code, credentials }) => {
    const client: any = createNetwork().client();
    await expect(client.connect("host", credentials)).rejects.toMatchObject({ code });
    expect(client.status.peek()).toBe("offline");
  });

  test("connect with a misspelled field names the field", async () => {
    const client: any = createNetwork().client();
    await expect(client.connect("host", { room: "demo", nmae: "Ann" })).rejects.toThrow(
      "Credentials with `room` have no `nmae`: leave it out.",
    );
  });

  test.for([{ app: "x".repeat(65) }, { app: 5 }, { app: "\ud800" }])("createClient with %o", (options) => {
    const wrong = expect.objectContaining({ code: "invalid-request", message: expect.stringContaining("app") });
    expect(() => createClient(options as any)).toThrow(wrong);
  });

  test("names of the greatest length are valid, counted in code points of NFC", async () => {
    const client = createNetwork().client(undefined, { app: "e\u0301".repeat(64) });
    await client.connect("host", { room: "\u{1F600}".repeat(128), name: "e\u0301".repeat(64) });
    expect(client.self.peek()).toMatchObject({ username: "é".repeat(64), room: "\u{1F600}".repeat(128) });
  });

  test.for(given([], [null], [5], [{}], [{ user: 5 }], [{ peers: "ab" }], [["a"]]))(
    "get with $args",
    async ({ args }) => {
      const client = await untyped();
      expect(() => client.get(...args)).toThrow(expect.objectContaining({ code: "invalid-request" }));
      expect(() => client.module("Any", () => 1, { allow: args[0] ?? null })).toThrow(/query/);
    },
  );

  test.for(given([], [null], [5], [{}], [{ name: 5 }]))("a module named by $args", async ({ args }) => {
    const client = await untyped();
    const unnamed = expect.objectContaining({ code: "unknown-module" });
    expect(() => client.get("*").call(...args)).toThrow(unnamed);
    expect(() => client.get("*").message(...args)).toThrow(unnamed);
    expect(() => client.module(args[0], () => 1)).toThrow(unnamed);
  });

  test.for(given([], [{}], ["answer"]))("a module with $args for a handler", async ({ args }) => {
    const client = await untyped();
    expect(() => client.module("Any", ...args)).toThrow(expect.objectContaining({ code: "invalid-request" }));
    client.module("Any", () => "the name is free");
  });

  test.for(given([], [null], [{}], ["listener"]))("$args for a function", async ({ args }) => {
    const client = await untyped();
    const noFunction = expect.objectContaining({ code: "invalid-request", message: expect.stringMatching(/function/) });
    expect(() => client.on("error", ...args)).toThrow(noFunction);
    expect(() => client.get("*").each(...args)).toThrow(noFunction);
    expect(() => client.status.subscribe(...args)).toThrow(noFunction);
    expect(() => client.peers.subscribe(...args)).toThrow(noFunction);
  });

  test.for(given([new AbortController()], [{}], ["signal"], [{ aborted: true }]))(
    "a call with $args for its signal",
    async ({ args: [signal] }: { args: readonly any[] }) => {
      const client = await untyped();
      const wrong = { code: "invalid-request", message: expect.stringMatching(/signal/) };
      const [reply] = await client.get("nobody").call("Any", 1, { signal }).all();
      expect(reply.error).toMatchObject(wrong);
      await expect(client.get("*").call("Any", 1, { signal }).first()).rejects.toMatchObject(wrong);
      await expect(createLatestCall().call(client.get("*"), "Any", 1, { signal }).first()).rejects.toMatchObject(wrong);
    },
  );

  test.for(given([() => {}], [false, "callback"], [{}, {}]))(
    "a message with $args after the request",
    async ({ args }) => {
      const client = await untyped();
      const wrong = { code: "invalid-request", message: expect.stringMatching(/fourth.*function/) };
      expect(() => client.get("*").message("Any", 1, ...args)).toThrow(expect.objectContaining(wrong));
    },
  );

  test.for([
    { maxLinks: Number.NaN },
    { maxLinks: 0 },
    { idleTimeout: "500" },
    { idleTimeout: -1 },
    { limits: { messageSize: Number.NaN } },
    { limits: { messageSize: Number.POSITIVE_INFINITY } },
    { limits: { depth: "8" } },
  ])("createClient with %o", (options) => {
    const wrong = expect.objectContaining({ code: "invalid-request", message: expect.stringMatching(/number/) });
    expect(() => createClient(options as any)).toThrow(wrong);
  });

  test.for(given([], [null], [5], [{}]))("a contract named by $args", ({ args: [name] }) => {
    expect(() => defineModule(name as any)).toThrow(expect.objectContaining({ code: "unknown-module" }));
  });

  test.for(given([5], ["text"], [{}], [{ "~standard": {} }], [() => true]))(
    "a contract, a stream, a presence or a client's profiles with $args for a schema",
    ({ args: [schema] }: { args: readonly any[] }) => {
      const message = expect.stringMatching(/Pass a Standard Schema, such as one of valibot/);
      const noSchema = expect.objectContaining({ code: "invalid-request", message });
      expect(() => defineModule("Any", { request: schema })).toThrow(noSchema);
      expect(() => defineModule("Any", { response: schema })).toThrow(noSchema);
      expect(() => stream(schema)).toThrow(noSchema);
      expect(() => definePresence("Any", schema)).toThrow(noSchema);
      expect(() => createClient({ profileSchema: schema })).toThrow(noSchema);
    },
  );

  test.for(given(["required"], [5], [{ policy: "strict" }], [{ policy: null }]))(
    "createClient with $args for its identity",
    ({ args: [identity] }: { args: readonly any[] }) => {
      const message = expect.stringMatching(/"off", "tofu" or "require"/);
      const wrong = expect.objectContaining({ code: "invalid-request", message });
      expect(() => createClient({ identity })).toThrow(wrong);
      expect(() => createNetwork().client("ann", { identity })).toThrow(wrong);
    },
  );

  test.for(given([null], [5], [{}]))("createClient with $args for its app", ({ args: [app] }) => {
    const wrong = expect.objectContaining({ code: "invalid-request", message: expect.stringMatching(/app/) });
    expect(() => createClient({ app: app as any })).toThrow(wrong);
  });

  test.for([
    { method: "invite", args: [] },
    { method: "invite", args: ["a@example.org", { alias: 5 }] },
    { method: "invite", args: ["a@example.org", { alias: "A", as: {} }] },
    { method: "requestToken", args: [null] },
    { method: "claimToken", args: ["Bob"] },
    { method: "removeUser", args: [5] },
    { method: "changePassword", args: ["old"] },
  ])("$method with $args", async ({ method, args }) => {
    const client = await untyped();
    await expect(client[method](...args)).rejects.toMatchObject({ code: "invalid-request" });
    expect(client.status.peek()).toBe("online");
  });
});

test("null for options is the same as none", async () => {
  const absent: any = null;
  expect(createClient(absent).status.peek()).toBe("offline");
  expect(createClient({ limits: absent }).status.peek()).toBe("offline");
  expect(defineModule("Any", absent)).toEqual(defineModule("Any"));
  const client = await untyped();
  client.module("Any", () => 1, null);
  expect(await client.get("*").call("Any", 1, null).all()).toEqual([]);
});
