import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { Cluster, ClusterFailure } from "./cluster/cluster.ts";
import { createLocalCluster } from "./cluster/local.ts";
import { invitationPage } from "./invitation-page.ts";
import { openSqliteStore } from "./store/sqlite.ts";
import { startTestServer } from "./testing/test-server.ts";

const http = (url: string) => url.replace(/^ws/, "http");

test("/healthz reports whether users can sign in", async () => {
  const store = await openSqliteStore(":memory:");
  let broken = false;
  const { server, clock } = await startTestServer([], {
    store: {
      ...store,
      heartbeat: async (...args) => (broken ? Promise.reject(new Error("read-only")) : store.heartbeat!(...args)),
    },
  });
  const health = async () => {
    clock.advance(2_000);
    return (await fetch(`${http(server.url)}/healthz`)).status;
  };
  expect(await health()).toBe(200);
  broken = true;
  expect(await health()).toBe(503);
  broken = false;
  expect(await health()).toBe(200);
});

test("/healthz reports why a node is separated from its cluster", async () => {
  let failure: ClusterFailure | undefined;
  const local = createLocalCluster();
  const cluster: Cluster = { join: async (events) => ({ ...(await local.join(events)), failure: () => failure }) };
  const { server } = await startTestServer([], { cluster });
  const health = async () => {
    const response = await fetch(`${server.url.replace("ws", "http")}/healthz`);
    return [response.status, await response.text()];
  };
  expect(await health()).toEqual([200, "ok\n"]);
  failure = "unreachable";
  expect(await health()).toEqual([200, "degraded: the cluster's engine is unreachable\n"]);
  failure = "refused";
  expect(await health()).toEqual([503, "unavailable: the cluster's engine answers with errors\n"]);
});

test("/metrics counts events and contains no names", async () => {
  const { server, signIn, open } = await startTestServer(["ann", "bob"]);
  const [ann, bob] = [await signIn("ann"), await signIn("bob")];
  ann.send("peerRequest", { to: bob.id, signal: 1 });
  ann.send("peerRequest", { to: "nobody", signal: 1 });
  await ann.request("requestToken", { name: "*" });
  const wrong = await open();
  wrong.send("authenticate", { version: 1, session: "x" });
  await wrong.closed;
  const response = await fetch(`${http(server.url)}/metrics`);
  const text = await response.text();
  expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
  expect(text).toContain("bonevalue_peers_online 2");
  expect(text).toContain('bonevalue_sign_ins_total{how="password",outcome="ok"} 2');
  expect(text).toContain('bonevalue_sign_ins_total{how="session",outcome="unauthenticated"} 1');
  expect(text).toContain('bonevalue_relays_total{outcome="passed"} 1');
  expect(text).toContain('bonevalue_relays_total{outcome="refused"} 1');
  expect(text).toContain('bonevalue_requests_total{type="requestToken",outcome="alias-reserved"} 1');
  expect(text).not.toMatch(/ann|bob|127\.0\.0\.1/);
});

test("/metrics is readable only from this machine by default", async () => {
  const passedOn = { headers: { "x-forwarded-for": "198.51.100.7" } };
  const { server } = await startTestServer();
  expect((await fetch(`${http(server.url)}/metrics`, passedOn)).status).toBe(403);
  const listed = await startTestServer([], { proxies: ["127.0.0.1"], metricsReaders: ["198.51.100.0/24"] });
  expect((await fetch(`${http(listed.server.url)}/metrics`, passedOn)).status).toBe(200);
  expect((await fetch(`${http(listed.server.url)}/metrics`)).status).toBe(403);
});

test("/metrics is not readable through an unlisted proxy on this machine, over IPv4 or IPv6", async () => {
  const { server } = await startTestServer([], { host: "::", insecure: true });
  const { port } = new URL(server.url);
  const passedOn = { headers: { "x-forwarded-for": "198.51.100.7" } };
  for (const host of ["127.0.0.1", "[::1]"])
    expect((await fetch(`http://${host}:${port}/metrics`, passedOn)).status).toBe(403);
  expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
});

test("other requests are answered with 426", async () => {
  const { server } = await startTestServer();
  expect((await fetch(http(server.url))).status).toBe(426);
  expect((await fetch(`${http(server.url)}/healthz`, { method: "POST" })).status).toBe(405);
});

test("the policy of the invitation page allows its own script and style, a socket to its server, and nothing else", async () => {
  const { server } = await startTestServer();
  const response = await fetch(`${http(server.url)}/invite`);
  const html = await response.text();
  const policy = response.headers.get("content-security-policy")!;
  for (const tag of ["script", "style"]) {
    const inline = new RegExp(`<${tag}>(.*?)</${tag}>`, "s").exec(html)![1]!;
    const digest = createHash("sha256").update(inline).digest("base64");
    expect(policy).toContain(`${tag}-src 'sha256-${digest}'`);
  }
  expect(policy).toContain(`connect-src 'self' ws://${new URL(server.url).host} `);
  for (const rule of ["default-src 'none'", "form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"])
    expect(policy).toContain(rule);
  expect(policy).not.toContain("unsafe");
  expect(response.headers.get("referrer-policy")).toBe("no-referrer");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("set-cookie")).toBeNull();
});

test("an invalid Host header does not get into the policy of the page", () => {
  const { headers } = invitationPage("evil.example.org; script-src *", {});
  expect(headers["content-security-policy"]).not.toContain("evil");
});

test("the page asks for an invitation in the body of a request, of at most 256 bytes", async () => {
  const { server } = await startTestServer(["ann"]);
  const page = `${http(server.url)}/invite`;
  const { link } = await server.accounts.invite("bob@example.org", { from: "ann", alias: "Bob", as: "Annie" });
  const response = await fetch(page, { method: "POST", body: new URL(link).hash.slice(1) });
  expect(await response.json()).toEqual({ email: "bob@example.org", inviter: "ann", hasAccount: false });
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
  expect((await fetch(page, { method: "POST", body: "x" })).status).toBe(404);
  expect((await fetch(page, { method: "POST", body: "x".repeat(257) })).status).toBe(413);
  expect((await fetch(page, { method: "PUT", body: "x" })).status).toBe(405);
  expect((await fetch(page)).status).toBe(200);
});

test("an invitation that the store cannot find is answered with 500, and the error is logged", async () => {
  const store = await openSqliteStore(":memory:");
  const error = new Error("no disk");
  const { server, logged } = await startTestServer([], {
    store: { ...store, invitation: () => Promise.reject(error) },
  });
  expect((await fetch(`${http(server.url)}/invite`, { method: "POST", body: "x" })).status).toBe(500);
  expect(logged).toContainEqual(["error", "a page cannot be served", { error, path: "/invite" }]);
});

test("pages of other origins cannot ask for invitations, since wrong ones would count for their visitors", async () => {
  const { server } = await startTestServer(["ann"]);
  const page = `${http(server.url)}/invite`;
  const ask = async (origin: string, body: string) =>
    (await fetch(page, { method: "POST", headers: { origin }, body })).status;
  for (let guess = 0; guess < 100; guess++) expect(await ask("https://evil.example.org", "x")).toBe(403);
  const { link } = await server.accounts.invite("bob@example.org");
  expect(await ask(new URL(page).origin, new URL(link).hash.slice(1))).toBe(200);
});

test("there is no invitation page if the app has its own accounts", async () => {
  const { server } = await startTestServer([], { authenticate: async () => undefined });
  expect((await fetch(`${http(server.url)}/invite`)).status).toBe(426);
});
