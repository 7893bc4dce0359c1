import axe from "axe-core";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { eventually } from "../../tools/eventually.ts";
import { type Client, createClient } from "../client.ts";
import { createMemoryDiscovery } from "../discovery/memory.ts";
import { exportLog, mount } from "./index.ts";
import { logOf } from "./inspect.ts";
import { maxEntries } from "./ring.ts";

const clients: Client[] = [];
const undos: (() => void)[] = [];
afterEach(async () => {
  for (const undo of undos.splice(0)) undo();
  await Promise.all(clients.splice(0).map((client) => client.disconnect()));
  expect(document.querySelector("bonevalue-inspector")).toBeNull();
});

/** Two clients that reach each other over real data channels. The names may be hostile. */
async function pair(annName = "ann", bobName = "bob"): Promise<[ann: Client, bob: Client]> {
  const discovery = createMemoryDiscovery();
  const [ann, bob] = [createClient({ discovery }), createClient({ discovery })];
  clients.push(ann, bob);
  discovery.addUser(annName, "");
  discovery.addUser(bobName, "");
  discovery.trust(annName, bobName, bobName, annName);
  await Promise.all([ann.connect("test", annName, ""), bob.connect("test", bobName, "")]);
  await eventually(() => expect([ann.peers.peek(), bob.peers.peek()].flat()).toHaveLength(2));
  return [ann, bob];
}

/** Mounts the inspector until the end of the test. */
function mountInTest(...args: Parameters<typeof mount>): () => void {
  const undo = mount(...args);
  undos.push(undo);
  return undo;
}

const root = () => document.querySelector("bonevalue-inspector")!.shadowRoot!;
const find = <E extends HTMLElement>(selector: string) => root().querySelector<E>(selector)!;
const rows = () => [...root().querySelectorAll<HTMLElement>(".row:not([hidden])")];
const texts = () => rows().map((row) => [...row.children].map(({ textContent }) => textContent));

async function openTab(name: string): Promise<void> {
  const tab = [...root().querySelectorAll<HTMLElement>("[role=tab]")].find(({ textContent }) =>
    textContent!.startsWith(name),
  );
  await userEvent.click(tab!);
}

/** Resolves once the panel has drawn what has changed so far. Every draw writes the status of the client. */
async function nextDraw(): Promise<void> {
  const { dataset } = document.querySelector<HTMLElement>("bonevalue-inspector")!;
  dataset["status"] = "not drawn";
  await eventually(() => expect(dataset["status"]).toBe("online"));
}

test("the panel shows the session, the peers, and each call with its outcome", async () => {
  const [ann, bob] = await pair();
  mountInTest(ann, { open: true });
  bob.module("Echo", ({ request }) => request);
  await ann.get("bob").call("Echo", "hello").first();
  await ann
    .get("bob")
    .call("None")
    .first()
    .catch(() => {});
  await eventually(() => expect(texts()).toEqual([["bob", "open", "verified", "{}", bob.getId()]]));
  expect(find(".facts").textContent).toContain("Sessiononline");

  await openTab("Calls");
  await eventually(() =>
    expect(texts().map((cells) => cells.slice(1, 6))).toEqual([
      ["→ out", "None", "bob", "call", "unknown-module"],
      ["→ out", "Echo", "bob", "call", "ok"],
    ]),
  );
  await userEvent.click(rows()[0]!);
  await eventually(() => expect(find(".details").textContent).toContain("Helpdocs/reference/errors.md#unknown-module"));
  await userEvent.click(rows()[1]!);
  await eventually(() => expect(find(".details").textContent).not.toContain("Help"));
  await openTab("Links");
  await eventually(() => expect(texts()[0]!.slice(0, 3)).toEqual(["bob", "open", "direct"]));
  await openTab("Log");
  await eventually(() => expect(texts().map((cells) => cells[3])).toContain("sign in with password"));
});

test("the undo removes the panel, and nothing is drawn afterwards", async () => {
  const [ann, bob] = await pair();
  const before = document.documentElement.outerHTML;
  const undo = mountInTest(ann, { open: true, payloads: true });
  expect(logOf(ann)!.listeners.size).toBe(1);
  undo();
  expect(document.documentElement.outerHTML).toBe(before);
  expect(logOf(ann)!.listeners.size).toBe(0);
  bob.module("Echo", ({ request }) => request);
  await ann.get("bob").call("Echo", "hello").first();
  expect(exportLog(ann)).not.toContain("hello");
  undo();
});

test("the closed panel is a button with the state of the session", async () => {
  const [ann] = await pair();
  mountInTest(ann);
  const host = document.querySelector<HTMLElement>("bonevalue-inspector")!;
  expect([find(".panel").hidden, find(".toggle").hidden, host.dataset["status"]]).toEqual([true, false, "online"]);
  await ann.disconnect();
  expect(host.dataset["status"]).toBe("offline");
});

test("two clients share one panel, which shows the selected one", async () => {
  const [ann, bob] = await pair();
  const undo = mountInTest(ann, { open: true });
  mountInTest(bob);
  expect(document.querySelectorAll("bonevalue-inspector")).toHaveLength(1);
  await eventually(() => expect(texts()[0]![0]).toBe("bob"));
  await eventually(() => expect(find<HTMLSelectElement>("select").hidden).toBe(false));
  await userEvent.selectOptions(find("select"), `bob (${bob.getId()!.slice(0, 6)})`);
  await eventually(() => expect(texts()[0]![0]).toBe("ann"));
  undo();
  await eventually(() => expect(find<HTMLSelectElement>("select").hidden).toBe(true));
  expect(texts()[0]![0]).toBe("ann");
});

test("names, modules and values of a hostile peer are text", async () => {
  const markup = "<img src=x onerror='globalThis.attacked = true'>";
  const [ann, bob] = await pair(undefined, markup);
  mountInTest(ann, { open: true, payloads: true });
  await bob.setProfile({ markup });
  ann.module(markup, ({ request }) => request);
  await bob
    .get("ann")
    .call(markup, { [markup]: markup, __proto__: null, huge: "x".repeat(1e6) })
    .first();
  await bob
    .get("ann")
    .call(markup, { [markup]: [markup, "x".repeat(10_000)] })
    .first();
  for (const name of ["Overview", "Links", "Calls", "Streams", "Presence", "Log"]) {
    await openTab(name);
    await userEvent.keyboard("{Tab}{Home}");
    await eventually(() =>
      expect(name === "Streams" || name === "Presence" || root().textContent!.includes(markup)).toBe(true),
    );
  }
  expect(root().querySelectorAll("img, script, [onerror]")).toHaveLength(0);
  expect(globalThis).not.toHaveProperty("attacked");
});

test("a thousand calls make elements only for the rows in view", async () => {
  const [ann, bob] = await pair();
  mountInTest(ann, { open: true });
  await openTab("Calls");
  bob.module("Echo", ({ request }) => request);
  await Promise.all(Array.from({ length: 1_000 }, (_, n) => ann.get("bob").call("Echo", n).first()));
  await eventually(() => expect(find(".grid").getAttribute("aria-rowcount")).toBe(String(maxEntries + 1)));
  expect(rows().length).toBeGreaterThan(5);
  expect(rows().length).toBeLessThan(30);
});

test("Clear removes the calls and the closed links, and keeps the open ones", async () => {
  const [ann, bob] = await pair();
  mountInTest(ann, { open: true });
  bob.module("Echo", ({ request }) => request);
  await ann.get("bob").call("Echo", 1).first();
  await openTab("Calls");
  await eventually(() => expect(rows()).toHaveLength(1));
  const clear = [...root().querySelectorAll("button")].find(({ textContent }) => textContent === "Clear")!;
  await userEvent.click(clear);
  await eventually(() => expect(rows()).toHaveLength(0));
  await openTab("Links");
  await eventually(() => expect(texts().map(([peer, status]) => [peer, status])).toEqual([["bob", "open"]]));
  await ann.disconnect();
  await eventually(() => expect(texts()[0]![1]).toBe("closed"));
  await userEvent.click(clear);
  await eventually(() => expect(rows()).toHaveLength(0));
});

test("it is operated by keyboard: tabs, rows, details, and Escape", async () => {
  const [ann, bob] = await pair();
  bob.module("Echo", ({ request }) => request);
  for (const n of [1, 2, 3]) await ann.get("bob").call("Echo", { n }).first();
  mountInTest(ann, { payloads: true });
  bob.module("Sum", () => 1);
  await ann.get("bob").call("Sum", { n: 4 }).first();
  find(".toggle").focus();
  await userEvent.keyboard("{Enter}{ArrowRight}{ArrowRight}");
  expect(root().activeElement?.textContent).toMatch(/^Calls/);
  await eventually(() => expect(rows()).toHaveLength(4));
  await userEvent.keyboard("{Tab}{ArrowDown}");
  await eventually(() => expect(find(".details").textContent).toContain("Request{n: 4}"));
  await userEvent.keyboard("{ArrowDown}");
  await eventually(() => expect(find(".row[aria-selected=true]").textContent).toContain("Echo"));
  expect(find(".grid").getAttribute("aria-activedescendant")).toBe(find(".row[aria-selected=true]").id);
  await userEvent.keyboard("{Escape}");
  expect([find(".panel").hidden, root().activeElement]).toEqual([true, find(".toggle")]);
});

test("a page keeps its size and its focus, and its own key handlers see nothing of the panel", async () => {
  const [ann] = await pair();
  const keys = vi.fn();
  addEventListener("keydown", keys);
  onTestFinished(() => removeEventListener("keydown", keys));
  const size = () => [
    document.documentElement.scrollWidth,
    document.documentElement.scrollHeight,
    document.activeElement,
  ];
  const before = size();
  mountInTest(ann, { open: true });
  expect(size()).toEqual(before);
  find("input").focus();
  await userEvent.keyboard("echo");
  expect(keys).not.toHaveBeenCalled();
});

test("a paused panel keeps what it shows, and the filter selects rows", async () => {
  const [ann, bob] = await pair();
  mountInTest(ann, { open: true });
  await openTab("Calls");
  bob.module("Echo", ({ request }) => request);
  const echo = () => ann.get("bob").call("Echo", 1).first();
  await echo();
  await eventually(() => expect(rows()).toHaveLength(1));
  await userEvent.click(find("[aria-pressed]"));
  await echo();
  await nextDraw();
  expect(rows()).toHaveLength(1);
  await openTab("Links");
  await eventually(() => expect(texts()[0]![1]).toBe("open"));
  await openTab("Calls");
  await userEvent.click(find("[aria-pressed]"));
  await eventually(() => expect(rows()).toHaveLength(2));
  await ann
    .get("bob")
    .call("Other")
    .first()
    .catch(() => {});
  await userEvent.type(find("input"), "OTHER");
  await eventually(() => expect(texts().map((cells) => cells[2])).toEqual(["Other"]));
  await userEvent.type(find("input"), "s");
  await eventually(() => expect(find(".none").textContent).toBe("No match."));
  await openTab("Streams");
  await eventually(() => expect(find(".none").textContent).toBe("No stream yet."));
});

test("no tab has an accessibility problem that axe finds", async () => {
  const [ann, bob] = await pair();
  mountInTest(ann, { open: true, payloads: true });
  bob.module("Count", async function* () {
    yield 1;
  });
  await ann.get("bob").call("Count").first();
  for (const name of ["Overview", "Links", "Calls", "Streams", "Presence", "Log"]) {
    await openTab(name);
    find(".grid").focus();
    await userEvent.keyboard("{Home}");
    const { violations } = await axe.run(document.querySelector("bonevalue-inspector")!);
    expect(violations.map(({ id, nodes }) => [name, id, nodes.map(({ html }) => html)])).toEqual([]);
  }
});
