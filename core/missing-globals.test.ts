import { afterEach, beforeEach, expect, test, vi } from "vitest";

// Environments such as jsdom and React Native lack some of the platform's globals.

beforeEach(() => {
  vi.resetModules();
});

afterEach(() => {
  vi.unstubAllGlobals();
});

async function connectedPair() {
  const { createNetwork } = await import("./testing/network.ts");
  const network = createNetwork();
  const [ann, bob] = [network.client("ann"), network.client("bob")];
  await ann.connect("test", "ann", "");
  await bob.connect("test", "bob", "");
  await vi.waitFor(() => expect(ann.peers.peek()).toHaveLength(1));
  return { ann, bob };
}

test.each(["TextEncoder", "TextDecoder", "ReadableStream", "Blob", "File", "RTCPeerConnection", "BroadcastChannel"])(
  "the library can be imported, and calls work, without %s",
  async (name) => {
    vi.stubGlobal(name, undefined);
    const { createClient } = await import("./index.ts");
    expect(createClient).toBeTypeOf("function");
    const { ann, bob } = await connectedPair();
    bob.module("Echo", ({ request }) => request);
    expect(
      await ann
        .get("bob")
        .call("Echo", { text: "hello", list: [1, new Date(5)] })
        .first(),
    ).toEqual({
      text: "hello",
      list: [1, new Date(5)],
    });
  },
);

test("a text that needs a TextEncoder names it, and a polyfill, where there is none", async () => {
  vi.stubGlobal("TextEncoder", undefined);
  const { ann } = await connectedPair();
  await expect(ann.get("bob").call("Echo", "é").first()).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(/TextEncoder.*fast-text-encoding/),
  });
});

test("a stream names the missing ReadableStream, and a polyfill, and the link goes on", async () => {
  const { ann, bob } = await connectedPair();
  bob.module("Count", async function* () {
    yield 1;
  });
  bob.module("Echo", ({ request }) => request);
  vi.stubGlobal("ReadableStream", undefined);
  await expect(ann.get("bob").call("Count").first()).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(/ReadableStream.*web-streams-polyfill/),
  });
  expect(await ann.get("bob").call("Echo", 1).first()).toBe(1);
});

test.each([
  ["arrayBuffer", { stream: undefined }],
  ["FileReader", { stream: undefined, arrayBuffer: undefined }],
])("a file is sent without Blob#stream, by its %s", async (_, missing) => {
  class FileReader {
    result: ArrayBuffer | undefined;
    onload = () => {};
    readAsArrayBuffer(blob: Blob) {
      void Blob.prototype.arrayBuffer.call(blob).then((buffer) => {
        this.result = buffer;
        this.onload();
      });
    }
  }
  vi.stubGlobal("FileReader", FileReader);
  const { ann, bob } = await connectedPair();
  bob.module("Size", async ({ request }) => (await request.file.blob()).size);
  const file = new File([new Uint8Array(3_000_000)], "a.bin");
  const slice = (start: number, end: number) => Object.assign(File.prototype.slice.call(file, start, end), missing);
  expect(
    await ann
      .get("bob")
      .call("Size", { file: Object.assign(file, missing, { slice }) })
      .first(),
  ).toBe(3_000_000);
});

test("an address is read without URL.canParse", async () => {
  vi.stubGlobal("URL", Object.assign(class extends URL {}, { canParse: undefined }));
  const { socketUrl } = await import("./discovery/websocket/server-url.ts");
  expect(socketUrl("example.org")).toBe("wss://example.org/");
  expect(() => socketUrl("http://[")).toThrow("is not a host");
});

test("signing in names an incomplete URL, and a polyfill", async () => {
  const { createClient, websocket } = await import("./index.ts");
  // Vitest itself loads files with URL.
  await import("./identity/identify.ts");
  vi.stubGlobal(
    "URL",
    class {
      get protocol() {
        throw new Error("URL.protocol is not implemented");
      }
    },
  );
  const client = createClient({ discovery: websocket({ WebSocket: class {} as unknown as typeof WebSocket }) });
  await expect(client.connect("example.org", "ann", "secret")).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringMatching(/URL.*react-native-url-polyfill/),
  });
});

test("signing in names what the platform lacks elsewhere", async () => {
  const { createClient, websocket } = await import("./index.ts");
  class Incomplete {
    constructor() {
      throw new TypeError("EventTarget is not a constructor");
    }
  }
  const client = createClient({ discovery: websocket({ WebSocket: Incomplete as unknown as typeof WebSocket }) });
  await expect(client.connect("example.org", "ann", "secret")).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("EventTarget"),
  });
});
