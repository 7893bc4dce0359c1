import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { expect, onTestFinished, test, vi } from "vitest";
import { startNginx } from "./testing/nginx.ts";
import { openClient } from "./testing/test-client.ts";
import { password, startTestServer } from "./testing/test-server.ts";

vi.setConfig({ testTimeout: 20_000 });

const forward = `proxy_http_version 1.1; proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;`;

/** Runs the script of the page at `link`, an invitation, submits its form, and returns the URL of the socket that it opens. */
async function socketOf(link: string): Promise<string> {
  const { pathname, protocol, href, hash } = new URL(link);
  const response = await fetch(href, { redirect: "manual" });
  expect(response.status).toBe(200);
  const script = /<script>(?<text>.*?)<\/script>/s.exec(await response.text())!.groups!["text"]!;
  const elements: Record<string, any> = {};
  const opened: string[] = [];
  runInNewContext(script, {
    URL,
    location: { pathname, protocol, href, hash },
    fetch: (path: string, request: RequestInit) => fetch(new URL(path, href), request),
    document: {
      body: { dataset: {} },
      getElementById: (id: string) => (elements[id] ??= { dataset: {}, focus() {} }),
    },
    WebSocket: function (this: object, where: URL) {
      opened.push(where.href);
    },
  });
  await vi.waitFor(() => expect(elements["email"].value).toBe("ann@example.org"));
  elements["ask"].onsubmit({ preventDefault() {} });
  return opened[0]!;
}

test.each([
  ["location /p2p/", "removes the prefix", "/", "/"],
  ["location /p2p/", "keeps the prefix", "", "/p2p"],
  ["location /p2p", "removes the prefix", "/", "/"],
  ["location /p2p", "keeps the prefix", "", "/p2p"],
  ["location /p2p/", "keeps the prefix of a --path with a slash", "", "/p2p/"],
])("behind nginx, %s that %s, the invitation page loads and its socket connects", async (location, _, suffix, path) => {
  const http = createHttpServer().listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => void http.close());
  const { port } = http.address() as { port: number };
  // With `location /p2p` and a final slash, nginx would pass on `//invite`.
  const removal = suffix && !location.endsWith("/") ? "rewrite ^/p2p/?(.*)$ /$1 break;" : "";
  const target = `http://127.0.0.1:${port}${removal ? "" : suffix}`;
  const proxy = await startNginx(`${location} { ${forward} ${removal} proxy_pass ${target}; }`);
  const { server } = await startTestServer([], { server: http, path, publicUrl: `${proxy}/p2p` });
  const { link } = await server.accounts.invite("ann@example.org");
  const socket = await openClient(await socketOf(link), { origin: proxy });
  socket.send("acceptInvite", { version: 1, invite: link.split("#")[1], password });
  expect((await socket.next("setPeerId")).data.username).toBe("ann@example.org");
  socket.socket.terminate();
});

test("behind nginx on a Unix domain socket, limits count the client's address", async () => {
  const path = join(tmpdir(), `bonevalue-proxy-${process.pid}.sock`);
  const http = createHttpServer().listen(path);
  await once(http, "listening");
  onTestFinished(() => void http.close());
  await startTestServer([], { server: http, proxies: ["unix"], limits: { socketsPerAddress: 1 } });
  const proxy = await startNginx(
    `location / { ${forward.replace("$proxy_add_x_forwarded_for", "$http_x_test")} proxy_pass http://unix:${path}:/; }`,
  );
  const url = proxy.replace("http", "ws");
  const from = (address: string) => openClient(url, { headers: { "x-test": address } });
  const first = await from("198.51.100.7:4711");
  const second = await from("[2001:db8::1]:4711");
  const again = await from("198.51.100.7:4712");
  expect(await again.closed).toBe(1013);
  expect([first, second].map(({ socket }) => socket.readyState)).toEqual([1, 1]);
  first.socket.terminate();
  second.socket.terminate();
});
