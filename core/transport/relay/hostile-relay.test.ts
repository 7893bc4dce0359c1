import { describe, expect, onTestFinished, test } from "vitest";
import type { Channel, Link, RelayExchange, SignalExchange } from "../transport.ts";
import { webrtc } from "../webrtc.ts";
import { createKeyAgreement } from "./key-agreement.ts";
import { BlockedPeerConnection, createFakeRelay, type FakeRelay, type Tamper } from "./testing/fake-relay.ts";

const transport = webrtc({ RTCPeerConnection: BlockedPeerConnection });

function exchangeWith(relay: RelayExchange): SignalExchange {
  const ignore = () => {};
  return {
    ...{ describe: ignore, candidate: ignore, restart: ignore, settled: ignore, listen: ignore },
    iceServers: () => [],
    relay,
  };
}

/** Both sides of an attempt over a relay. */
function dial(relay: Pick<FakeRelay, "caller" | "callee">): readonly [caller: Link, callee: Link] {
  const links = [
    transport.open("callee", "caller", exchangeWith(relay.caller)),
    transport.open("caller", "callee", exchangeWith(relay.callee)),
  ] as const;
  onTestFinished(() => {
    for (const link of links) link.close();
  });
  return links;
}

/** The texts that arrive on a link. */
function textsOf(link: Link): string[] {
  const texts: string[] = [];
  const message = (_: Channel, bytes: Uint8Array) => texts.push(new TextDecoder().decode(bytes));
  link.listen({ message, drain() {}, interrupted() {}, restored() {} });
  return texts;
}

const bytes = (text: string) => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;

/** Tampers with the messages of the caller behind the first, which opens the link. */
function afterFirst(tamper: (message: Uint8Array<ArrayBuffer>, index: number) => Uint8Array<ArrayBuffer>[]): Tamper {
  return (message, index, from) => (from === "callee" || index === 0 ? [message] : tamper(message, index));
}

const flipped = (message: Uint8Array<ArrayBuffer>, at: number) =>
  message.map((byte, index) => (index === at ? byte ^ 1 : byte));
let kept: Uint8Array<ArrayBuffer> | undefined;

describe("a server that does not pass on what the caller has sent", () => {
  test.for<[string, Tamper, string[]]>([
    ["alters the first byte of a record", afterFirst((message) => [flipped(message, 0)]), []],
    ["alters the last byte of a record", afterFirst((message) => [flipped(message, message.length - 1)]), []],
    ["shortens a record", afterFirst((message) => [message.slice(0, -1)]), []],
    ["repeats a record", afterFirst((message) => [message, message]), ["one"]],
    ["drops a record", afterFirst((message, index) => (index === 1 ? [] : [message])), []],
    [
      "swaps two records",
      afterFirst((message, index) => {
        if (index === 1) kept = message;
        return index === 1 ? [] : [message, kept!];
      }),
      [],
    ],
    ["inserts an empty record", afterFirst((message) => [new Uint8Array(), message]), []],
    ["inserts a record of its own", afterFirst((message) => [new Uint8Array(64), message]), []],
    ["inserts a record that is too long", afterFirst((message) => [new Uint8Array(69_653), message]), []],
  ])("%s: the link ends with protocol, and nothing after that arrives", async ([, tamper, expected]) => {
    const [caller, callee] = dial(createFakeRelay({ tamper }));
    await Promise.all([caller.opened, callee.opened]);
    const texts = textsOf(callee);
    caller.send("control", bytes("one"));
    // Another turn, so that it has a record of its own.
    await new Promise((resolve) => setTimeout(resolve));
    caller.send("control", bytes("two"));
    expect((await callee.closed)?.code).toBe("protocol");
    expect((await caller.closed)?.code).toBe("disconnected");
    // The first record may also be an acknowledgement. Then nothing arrives.
    expect(texts).toEqual(expected.slice(0, texts.length));
  });

  test("sends the callee's records back to the callee: the link ends before it opens", async () => {
    const relay = createFakeRelay();
    const echo = { ...relay.callee, open: async () => echoOf((await relay.callee.open("caller", "callee"))!) };
    const [, callee] = dial({ caller: relay.caller, callee: echo });
    await expect(callee.opened).rejects.toMatchObject({
      code: "protocol",
      message: expect.stringMatching(/^The relay has altered/),
    });
  });

  test("splices the pipes of two links: neither opens", async () => {
    const [first, second] = [createFakeRelay(), createFakeRelay()];
    const [caller] = dial({ caller: { ...first.caller, open: second.caller.open }, callee: first.callee });
    const [otherCaller] = dial({ caller: { ...second.caller, open: first.caller.open }, callee: second.callee });
    await expect(caller.opened).rejects.toMatchObject({ code: "protocol" });
    await expect(otherCaller.opened).rejects.toMatchObject({ code: "protocol" });
  });

  test("replaces the key of one side: the sides have different keys, and the link does not open", async () => {
    const { description } = await createKeyAgreement("caller");
    const replace: NonNullable<Parameters<typeof createFakeRelay>[0]>["replace"] = (own, from) =>
      from === "caller" ? description : own;
    const [caller, callee] = dial(createFakeRelay({ replace }));
    await expect(caller.opened).rejects.toMatchObject({ code: "protocol" });
    callee.close();
  });

  test.for([
    ["no point of the curve", { algorithm: "P-256", publicKey: "A".repeat(87) }],
    ["of another length", { algorithm: "P-256", publicKey: "AAAA" }],
    ["of another algorithm", { algorithm: "X25519", publicKey: "A".repeat(43) }],
    ["no base64url", { algorithm: "P-256", publicKey: "=" }],
  ] as const)("names a key that is %s: the link does not open", async ([, description]) => {
    const [caller] = dial(createFakeRelay({ replace: (own, from) => (from === "callee" ? description : own) }));
    await expect(caller.opened).rejects.toMatchObject({
      code: "protocol",
      message: expect.stringMatching(/invalid key/),
    });
  });

  test("cuts the pipe: both sides end with disconnected", async () => {
    const relay = createFakeRelay();
    const links = dial(relay);
    await Promise.all(links.map(({ opened }) => opened));
    relay.cut();
    expect(await Promise.all(links.map(async ({ closed }) => (await closed)?.code))).toEqual([
      "disconnected",
      "disconnected",
    ]);
    expect(await Promise.all(links.map((link) => link.stats?.()))).toEqual([{}, {}]);
  });

  test("never reads a message, nor the same bytes twice", async () => {
    const seen: string[] = [];
    const tamper: Tamper = (message) => {
      seen.push(new TextDecoder("latin1").decode(message));
      return [message];
    };
    const [caller, callee] = dial(createFakeRelay({ tamper }));
    await Promise.all([caller.opened, callee.opened]);
    const texts = textsOf(callee);
    for (const text of ["secret", "secret"]) {
      caller.send("bulk", bytes(text));
      await expect.poll(() => texts).toContain("secret");
    }
    await expect.poll(() => texts).toEqual(["secret", "secret"]);
    expect(seen.some((text) => text.includes("secret"))).toBe(false);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

/** Access to a socket that receives what it sends. */
function echoOf(access: NonNullable<Awaited<ReturnType<RelayExchange["open"]>>>): typeof access {
  class Echo {
    binaryType = "";
    readonly bufferedAmount = 0;
    readonly listeners = new Map<string, (event: unknown) => void>();
    constructor() {
      queueMicrotask(() => this.listeners.get("open")?.({}));
    }
    addEventListener(type: string, listener: (event: unknown) => void): void {
      this.listeners.set(type, listener);
    }
    send(data: string | Uint8Array<ArrayBuffer>): void {
      if (typeof data !== "string") this.listeners.get("message")?.({ data: data.slice().buffer });
    }
    close(): void {}
  }
  return { ...access, WebSocket: Echo };
}
