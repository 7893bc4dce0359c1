import { afterEach, beforeEach, expect, test } from "vitest";
import { createApp, createSSRApp, defineComponent, effectScope, h, nextTick, ref } from "vue";
import type { Client } from "../../core/index.ts";
import { createNetwork, type Network } from "../../core/testing/network.ts";
import { eventually } from "../../tools/eventually.ts";
import { type CountingClient, createCountingClient } from "../conformance/counting-client.ts";
import { Ask } from "../conformance/pages.ts";
import { bonevalue, useCall, useClient, useEvent, useModule, usePeers, useStatus } from "./index.ts";

let network: Network;
let ann: CountingClient;
let bob: Client;

beforeEach(async () => {
  network = createNetwork();
  ann = createCountingClient(network.client("ann"));
  bob = network.client("bob");
  await bob.connect("test", "bob", "");
  await ann.client.connect("test", "ann", "");
});

afterEach(async () => {
  await Promise.all([ann.client.disconnect(), bob.disconnect()]);
  expect(ann.open).toBe(0);
});

/** Runs `use` in a new effect scope outside components. */
function inScope<T>(use: () => T): { readonly result: T; stop(): void } {
  const scope = effectScope();
  const app = createApp({}).use(bonevalue, { client: ann.client });
  return { result: app.runWithContext(() => scope.run(use)) as T, stop: () => scope.stop() };
}

const askAnn = () => bob.get("ann").call(Ask, "").first();

test("a scope outside components follows changes, and unsubscribes when it stops", async () => {
  const { result: peers, stop } = inScope(() => usePeers());
  expect(peers.value).toMatchObject([{ name: "bob" }]);
  await bob.disconnect();
  await eventually(() => expect(peers.value).toEqual([]));
  stop();
  expect(ann.open).toBe(0);
});

test("a query may be a ref, and its peers change with it synchronously", () => {
  const query = ref("Us");
  const { result: peers, stop } = inScope(() => usePeers(query));
  expect(peers.value).toEqual([]);
  query.value = "bob";
  expect(peers.value).toMatchObject([{ name: "bob" }]);
  stop();
});

test("outside components a module and a listener end with the scope", async () => {
  const disconnected: string[] = [];
  const { stop } = inScope(() => {
    useModule(Ask, () => "ann");
    useEvent("peerdisconnect", (id) => disconnected.push(id));
  });
  await nextTick();
  expect(await askAnn()).toBe("ann");
  stop();
  await expect(askAnn()).rejects.toMatchObject({ code: "unknown-module" });
  await bob.disconnect();
  await eventually(() => expect(ann.client.peers.peek()).toEqual([]));
  expect(disconnected).toEqual([]);
});

test("a call ends with the scope", async () => {
  bob.module(Ask, () => new Promise(() => {}));
  const { result, stop } = inScope(() => useCall(Ask, "bob"));
  const replies = result.call("Still there?");
  stop();
  expect(await replies.all()).toMatchObject([{ error: { code: "cancelled" } }]);
});

test("a shared scope outlives the component that created it, also when that component hydrated", async () => {
  const store = effectScope(true);
  let peers: ReturnType<typeof usePeers> | undefined;
  const First = defineComponent(() => {
    peers = store.run(() => usePeers());
    return () => h("p", peers?.value.length);
  });
  const isShown = ref(true);
  const host = document.createElement("div");
  host.innerHTML = "<p>0</p>";
  const app = createSSRApp(() => (isShown.value ? h(First) : undefined));
  app.use(bonevalue, { client: ann.client }).mount(host);
  expect(peers?.value).toMatchObject([{ name: "bob" }]);
  isShown.value = false;
  await nextTick();
  await bob.disconnect();
  await eventually(() => expect(peers?.value).toEqual([]));
  store.stop();
});

test("two apps in one process may use different clients", () => {
  const app = (client: Client) => createApp({}).use(bonevalue, { client });
  expect(app(ann.client).runWithContext(useClient)).toBe(ann.client);
  expect(app(bob).runWithContext(useClient)).toBe(bob);
});

test("a missing plugin or app throws an error that says what to do", () => {
  const advice = /app\.use\(bonevalue, \{ client \}\)/;
  expect(useStatus).toThrow(advice);
  expect(() => createApp({}).runWithContext(useStatus)).toThrow(advice);
  const app = createApp({ setup: () => useStatus(), render: () => h("p") });
  app.config.errorHandler = (error) => {
    throw error;
  };
  app.config.warnHandler = () => {};
  expect(() => app.mount(document.createElement("div"))).toThrow(advice);
});
