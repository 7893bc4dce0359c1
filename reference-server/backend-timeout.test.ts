import { expect, onTestFinished, test } from "vitest";
import { until } from "../tools/eventually.ts";
import type { ServerOptions } from "./server.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import type { Store } from "./store/store.ts";
import { startTestServer, type TestServer } from "./testing/test-server.ts";
import { virtualClock } from "./testing/virtual-clock.ts";
import { withTimeouts } from "./with-timeout.ts";

const never = new Promise<never>(() => {});

/** A store whose methods a test can make hang forever. */
async function hanging() {
  const real = await openSqliteStore(":memory:");
  onTestFinished(real.close);
  const hung = new Set<string>();
  let asked = 0;
  const store = new Proxy(real, {
    get(target, name: keyof Store) {
      if (!hung.has(name)) return target[name];
      asked++;
      return () => never;
    },
  });
  return { store, hung, asked: () => asked };
}

/** Advances the clock until `done`. */
async function passes({ clock }: Pick<TestServer, "clock">, done: () => boolean): Promise<void> {
  await until(
    () => {
      clock.advance(1_000);
      return done();
    },
    { interval: 1 },
  );
}

test.each<[string, ServerOptions]>([
  ["an `authenticate`", { authenticate: () => never }],
  ["a `trusted`", { authenticate: async (username) => ({ username }), trusted: () => never }],
])("%s that never answers blocks no client", async (_, options) => {
  const here = await startTestServer([], options);
  const client = await here.open();
  let code: number | undefined;
  client.closed.then((closed) => (code = closed));
  client.send("authenticate", { version: 1, token: "ann" });
  await passes(here, () => code !== undefined);
  expect(code).toBe(1013);
  expect((await client.next("error").catch(() => client.received.at(-1)))?.data).toMatchObject({ code: "unreachable" });
});

test("a hanging store blocks no request and is used again when it answers", async () => {
  const { store, hung } = await hanging();
  const here = await startTestServer(["ann"], { store, limits: { idleTimeout: Number.POSITIVE_INFINITY } });
  const ann = await here.signIn("ann");
  hung.add("addToken");
  let answer: unknown;
  ann.request("requestToken", { name: "Bob" }).then(({ data }) => (answer = data));
  await passes(here, () => answer !== undefined);
  expect(answer).toMatchObject({ code: "unreachable", after: 5_000 });
  hung.clear();
  expect((await ann.request("requestToken", { name: "Bob" })).type).toBe("tokenResponse");
});

test("a server with a hanging store can close", async () => {
  const { store, hung } = await hanging();
  const here = await startTestServer(["ann"], { store });
  await here.signIn("ann");
  hung.add("seen").add("endSession").add("session");
  let closed = false;
  here.server.close().then(() => (closed = true));
  await passes(here, () => closed);
});

test("a leave is announced at once, even while the store hangs", async () => {
  const { store, hung } = await hanging();
  const { signIn } = await startTestServer(["ann", "bob"], { store });
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  hung.add("endSession");
  bob.send("bye", {});
  expect(await ann.next("peerDisconnect")).toEqual({ type: "peerDisconnect", data: bob.id });
});

test("while trust is being read, at most one mebibyte of signals is queued", async () => {
  const { store, hung, asked } = await hanging();
  const here = await startTestServer(["ann", "bob", "cat"], {
    store,
    limits: { idleTimeout: Number.POSITIVE_INFINITY },
  });
  const [ann, bob] = [await here.signIn("ann"), await here.signIn("bob")];
  hung.add("trusted");
  here.server.accounts.remove("cat").catch(() => {});
  await until(() => asked() === 2);
  hung.clear();
  const signal = "x".repeat(60_000);
  for (let at = 0; at < 30; at++) bob.send("peerRequest", { to: ann.id, signal });
  await bob.settled();
  const relayed = () => ann.received.filter(({ type }) => type === "peerRequest").length;
  expect(relayed()).toBe(0);
  await passes(here, () => relayed() > 0);
  await ann.settled();
  expect(relayed()).toBe(17);
  bob.send("peerRequest", { to: ann.id, signal: "short" });
  expect((await until(() => ann.received.findLast(({ type }) => type === "peerRequest")))?.data.from).toBe(bob.id);
});

test("methods with a time limit keep their results, errors and `this`", async () => {
  const clock = virtualClock();
  class Counter {
    #count = 0;
    readonly unit = "pieces";
    async add(more: number): Promise<number> {
      this.#count += more;
      return this.#count;
    }
    fail(): Promise<never> {
      throw new Error("at once");
    }
    hang(): Promise<never> {
      return never;
    }
  }
  const counter = withTimeouts("The counter", new Counter(), 1_000, clock);
  await counter.add(2);
  expect([await counter.add(3), counter.unit]).toEqual([5, "pieces"]);
  await expect(counter.fail()).rejects.toThrow("at once");
  const hung = counter.hang();
  clock.advance(1_000);
  await expect(hung).rejects.toThrow("The counter (hang) has not answered within 1000 ms");
});
