import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger, createServer, type InlineConfig, preview, type ViteDevServer } from "vite";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { selfSigned } from "./testing/certificate.ts";
import { openClient } from "./testing/test-client.ts";
import { signedIn } from "./testing/test-server.ts";
import { type BonevaluePluginOptions, bonevalue } from "./vite.ts";

/** The configuration of an app with one page, and what Vite prints. */
function createApp(options?: BonevaluePluginOptions, more: InlineConfig["server"] = {}) {
  const root = mkdtempSync(join(tmpdir(), "bonevalue-vite-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  writeFileSync(join(root, "index.html"), "<h1>The app</h1>");
  const printed: string[] = [];
  const print = (line: string) => void printed.push(line);
  const config: InlineConfig = {
    root,
    configFile: false,
    customLogger: { ...createLogger(), info: print, warn: print, error: print },
    plugins: [bonevalue(options)],
    server: { host: "127.0.0.1", port: 0, ...more },
    preview: { host: "127.0.0.1", port: 0 },
    build: { outDir: "." },
  };
  return { config, printed };
}

/** Starts `vite dev` with the plugin. */
async function startDev(options?: BonevaluePluginOptions, more?: InlineConfig["server"]) {
  const { config, printed } = createApp(options, more);
  const vite = await createServer(config);
  onTestFinished(() => vite.close());
  await vite.listen();
  return { vite, printed };
}

const hostOf = ({ httpServer }: Pick<ViteDevServer, "httpServer">) =>
  `127.0.0.1:${(httpServer!.address() as AddressInfo).port}`;

/** Enters the room `demo` of the server at this URL. */
async function enter(url: string, name: string) {
  const client = await openClient(url, { rejectUnauthorized: false });
  onTestFinished(() => client.socket.terminate());
  return signedIn(client, { room: "demo", name });
}

test("two guests meet at /bonevalue in `vite dev`, beside the page and Vite's own socket", async () => {
  const { vite, printed } = await startDev();
  const host = hostOf(vite);
  const ann = await enter(`ws://${host}/bonevalue`, "Ann");
  await enter(`ws://${host}/bonevalue`, "Bob");
  expect((await ann.next("peerConnect")).data).toMatchObject({ name: "Bob" });
  expect(await (await fetch(`http://${host}/`)).text()).toContain("<h1>The app</h1>");

  const hmr = new WebSocket(`ws://${host}/?token=${vite.config.webSocketToken}`, "vite-hmr");
  onTestFinished(() => hmr.terminate());
  expect(JSON.parse(String((await once(hmr, "message"))[0]))).toEqual({ type: "connected" });
  const update = once(hmr, "message");
  vite.hot.send({ type: "full-reload" });
  expect(JSON.parse(String((await update)[0]))).toMatchObject({ type: "full-reload" });

  vite.printUrls();
  expect(printed.at(-1)).toContain('client.connect("/bonevalue", { room: "demo", name: "Ann" })');
});

test("a restart of Vite restarts the discovery server on the same port", async () => {
  const { vite } = await startDev();
  const host = hostOf(vite);
  const ann = await enter(`ws://${host}/bonevalue`, "Ann");
  await vite.restart();
  await ann.closed;
  expect(hostOf(vite)).toBe(host);
  expect((await enter(`ws://${host}/bonevalue`, "Ann")).peers).toEqual([]);
  await vite.close();
  await expect(fetch(`http://${host}/`)).rejects.toThrow();
});

test("`vite preview` has a discovery server, too", async () => {
  const { config } = createApp();
  const served = await preview(config);
  onTestFinished(() => served.close());
  await enter(`ws://${hostOf(served)}/bonevalue`, "Ann");
  expect(await (await fetch(`http://${hostOf(served)}/`)).text()).toBe("<h1>The app</h1>");
});

test("a Vite with a certificate has a discovery server with TLS", async () => {
  const https = await selfSigned();
  const { vite } = await startDev({}, { https });
  await enter(`wss://${hostOf(vite)}/bonevalue`, "Ann");
});

test("pages of other origins may not connect, also if their host name leads here", async () => {
  const { vite } = await startDev();
  const host = hostOf(vite);
  for (const origin of [`http://${host}`, "http://localhost:1234"])
    (await openClient(`ws://${host}/bonevalue`, { origin })).socket.terminate();
  const rebound = { origin: "http://evil.example.org", headers: { host: "evil.example.org" } };
  await expect(openClient(`ws://${host}/bonevalue`, rebound)).rejects.toThrow("403");
});

test("options change the path and replace accounts with the app's", async () => {
  const { vite } = await startDev({ path: "/p2p", authenticate: async () => ({ username: "eve" }) });
  const url = `ws://${hostOf(vite)}/p2p`;
  await signedIn(await openClient(url), { token: "any" });
  const ann = await openClient(url);
  ann.send("authenticate", { version: 1, username: "ann", password: "password of ann" });
  expect((await ann.next("error")).data.code).toBe("unsupported");
});

test("a mistake in the options stops Vite with a message that says what to do", async () => {
  const { config } = createApp({ path: "p2p" });
  await expect(createServer(config)).rejects.toThrow('The path "p2p" is invalid');
});

test("in middleware mode the server of the app is used, and without one a warning says what to set", async () => {
  const http = createHttpServer().listen(0, "127.0.0.1");
  onTestFinished(() => void http.close());
  await once(http, "listening");
  const vite = await createServer(createApp({}, { middlewareMode: { server: http } }).config);
  onTestFinished(() => vite.close());
  await enter(`ws://${hostOf({ httpServer: http })}/bonevalue`, "Ann");

  vi.stubEnv("VITEST", undefined);
  onTestFinished(() => void vi.unstubAllEnvs());
  const { config, printed } = createApp({}, { middlewareMode: true });
  const alone = await createServer(config);
  onTestFinished(() => alone.close());
  expect(printed.join()).toContain("Set `server.middlewareMode` to { server }");
});

test("in middleware mode the discovery server ends with Vite, at a restart and at the end, and the app's server stays", async () => {
  const http = createHttpServer((_, response) => response.writeHead(404).end()).listen(0, "127.0.0.1");
  onTestFinished(() => void http.close());
  await once(http, "listening");
  const vite = await createServer(createApp({}, { middlewareMode: { server: http } }).config);
  onTestFinished(() => vite.close());
  const url = `ws://${hostOf({ httpServer: http })}/bonevalue`;
  const ann = await enter(url, "Ann");
  await vite.restart();
  await ann.closed;
  const bob = await enter(url, "Bob");
  expect(bob.peers).toEqual([]);
  await vite.close();
  await bob.closed;
  await expect(openClient(url)).rejects.toThrow("404");
});

test.each([undefined, { meta: {} }])(
  "a Vite before 7, which calls a hook with the context %j, gets an error",
  (context) => {
    const { configureServer, configurePreviewServer } = bonevalue();
    for (const hook of [configureServer, configurePreviewServer])
      expect(() => Reflect.apply(hook as () => void, context, [{}])).toThrow("needs Vite 7 or newer");
  },
);
