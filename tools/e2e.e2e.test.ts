import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, type TestBrowser } from "./e2e.ts";
import { startServer } from "./server-process.ts";

let browser: TestBrowser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

describe("a test browser", () => {
  test("opens tabs that share a context, and collects their console output", async () => {
    const html = `<script>
      const channel = new BroadcastChannel("here");
      channel.onmessage = ({ data }) => { console.log("heard", data); if (data === "anybody?") channel.postMessage("me"); };
      channel.postMessage("anybody?");
    </script>`;
    const first = await browser.open({ html });
    const second = await browser.open({ html });
    expect(await first.waitForLine("heard")).toBe("heard anybody?");
    expect(await second.waitForLine(/me$/)).toBe("heard me");
  });

  test("serves a page with its headers, and collects uncaught errors", async () => {
    const html = `<script src="/dist/global.js"></script><script>new Function("return 1")();</script>`;
    const policy = { "content-security-policy": "script-src 'self' 'unsafe-inline'" };
    const tab = await browser.open({ html, headers: policy });
    expect(await tab.waitForLine("Uncaught")).toContain("unsafe-eval");
  });

  test("allows data channels on loopback", async () => {
    const html = `<script>
      const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
      a.onicecandidate = ({ candidate }) => candidate && b.addIceCandidate(candidate);
      b.onicecandidate = ({ candidate }) => candidate && a.addIceCandidate(candidate);
      a.createDataChannel("x").onopen = () => console.log("open");
      (async () => {
        await a.setLocalDescription();
        await b.setRemoteDescription(a.localDescription);
        await b.setLocalDescription();
        await a.setRemoteDescription(b.localDescription);
      })();
    </script>`;
    const tab = await browser.open({ html });
    expect(await tab.waitForLine("open")).toBe("open");
  });

  test("serves only dist/ and examples/", async () => {
    for (const path of ["/package.json", "/dist/../package.json", "/dist/%2e%2e/package.json"]) {
      expect((await fetch(browser.origin + path)).status).toBe(404);
    }
  });
});

describe("a server process", () => {
  test("has the given accounts, and stops answering when it is killed", async () => {
    const server = await startServer({ accounts: { ann: "a long password", bob: "another one" } });
    await expect(answers(server.url)).resolves.toBe(true);
    await expect(server.addAccount("ann", "a long password")).rejects.toThrow("ann");
    await server.kill();
    await expect(answers(server.url)).resolves.toBe(false);
  });
});

/** Whether a WebSocket can be opened at `url`. */
async function answers(url: string): Promise<boolean> {
  const socket = new WebSocket(url);
  return await new Promise((resolve) => {
    socket.onopen = () => {
      socket.close();
      resolve(true);
    };
    socket.onerror = () => resolve(false);
  });
}
