import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, type Stage } from "./e2e.ts";
import { startServer } from "./server-process.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await launch();
});
afterAll(() => stage.close());

describe("a stage", () => {
  test("opens tabs that see one another, and hears what they say", async () => {
    const html = `<script>
      const channel = new BroadcastChannel("here");
      channel.onmessage = ({ data }) => { console.log("heard", data); if (data === "anybody?") channel.postMessage("me"); };
      channel.postMessage("anybody?");
    </script>`;
    const first = await stage.open({ html });
    const second = await stage.open({ html });
    expect(await first.says("heard")).toBe("heard anybody?");
    expect(await second.says(/me$/)).toBe("heard me");
  });

  test("holds a page to the headers that come with it, and hears what nothing caught", async () => {
    const html = `<script src="/dist/global.js"></script><script>new Function("return 1")();</script>`;
    const policy = { "content-security-policy": "script-src 'self' 'unsafe-inline'" };
    const tab = await stage.open({ html, headers: policy });
    expect(await tab.says("Uncaught")).toContain("unsafe-eval");
  });

  test("lets two pages of one machine open a data channel", async () => {
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
    const tab = await stage.open({ html });
    expect(await tab.says("open")).toBe("open");
  });

  test("serves nothing of the repository but what is built and the examples", async () => {
    for (const path of ["/package.json", "/dist/../package.json", "/dist/%2e%2e/package.json"]) {
      expect((await fetch(stage.origin + path)).status).toBe(404);
    }
  });
});

describe("a server of a spec's own", () => {
  test("has the accounts that it was given, and is gone when it is killed", async () => {
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
