import { describe, expect, test, vi } from "vitest";
import { Kind } from "../../wire/frames.ts";
import { pack } from "../../wire/pack.ts";
import type { Progress } from "../call-peer.ts";
import { createIncomingStream } from "./incoming-stream.ts";
import { createRemoteFile, type FileProgress, type RemoteFile } from "./remote-file.ts";
import { all, code, createLinkedPair, type LinkedPair } from "./testing/linked-pair.ts";

function bytes(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (index * 7) % 251);
}

async function fileFrom({ ann, bob, until }: LinkedPair, file: Blob): Promise<RemoteFile> {
  bob.module("Get", () => ({ file }));
  return (await until(ann.call("Get").first())).file;
}

describe("a file", () => {
  test("has a name, a type and a size before its bytes arrive", async () => {
    const on = createLinkedPair();
    const file = await fileFrom(on, new File([bytes(10)], "notes.txt", { type: "text/plain" }));
    await on.clock.advance(1_000);
    expect({ ...file }).toMatchObject({ name: "notes.txt", type: "text/plain", size: 10 });
    expect(await fileFrom(createLinkedPair(), new Blob([]))).toMatchObject({ name: "", type: "", size: 0 });
  });

  test("arrives unchanged, as a stream or as a blob", async () => {
    const sent = new Blob([bytes(700_000), bytes(3)], { type: "x/y" });
    const on = createLinkedPair();
    const blob = await on.until((await fileFrom(on, sent)).blob());
    expect([blob.type, blob.size]).toEqual(["x/y", sent.size]);
    expect(await blob.bytes()).toEqual(await sent.bytes());
    const other = createLinkedPair();
    const chunks = await other.until(all((await fileFrom(other, sent)).stream()));
    expect(await new Blob(chunks).bytes()).toEqual(await sent.bytes());
  });

  test("can be read once", async () => {
    const on = createLinkedPair();
    const file = await fileFrom(on, new Blob(["abc"]));
    await on.until(file.blob());
    expect(() => file.stream()).toThrow(code("unsupported"));
    await expect(file.blob()).rejects.toEqual(code("unsupported"));
    expect([on.ann.rpc.isIdle, on.bob.rpc.isIdle]).toEqual([true, true]);
  });

  test("can be sent on while it arrives", async () => {
    const { ann, bob, until } = createLinkedPair();
    bob.module("Echo", ({ request }) => request);
    const sent = new File([bytes(300_000)], "a.bin", { type: "x/y" });
    const file: RemoteFile = await until(ann.call("Echo", sent).first());
    expect(file).toMatchObject({ name: "a.bin", type: "x/y", size: 300_000 });
    expect(await (await until(file.blob())).bytes()).toEqual(bytes(300_000));
  });

  test("reports how much was read, up to the last byte, as often as to its sender", async () => {
    const { ann, bob, until } = createLinkedPair();
    const received: FileProgress[] = [];
    const sent: number[] = [];
    bob.module("Put", async ({ request }) => {
      return (await request.blob({ onProgress: (progress: FileProgress) => received.push(progress) })).size;
    });
    const size = 1_000_000;
    const onProgress = (progress: Progress) => sent.push(progress.sent);
    await until(ann.call("Put", new Blob([bytes(size)]), { onProgress }).first());
    expect(received.map((progress) => progress.received)).toEqual(sent);
    expect(sent.length).toBeGreaterThan(3);
    expect([received[0], received.at(-1)]).toEqual([
      { received: 0, total: size },
      { received: size, total: size },
    ]);
    expect(received.every(Object.isFrozen)).toBe(true);
  });

  test("arrives although its `onProgress` throws", async () => {
    const reported = vi.spyOn(console, "error").mockReturnValue(undefined);
    const on = createLinkedPair();
    const file = await fileFrom(on, new Blob([bytes(10)]));
    const failing = () => {
      throw new Error("the app's own fault");
    };
    const chunks = await on.until(all(file.stream({ onProgress: failing })));
    expect(chunks).toEqual([bytes(10)]);
    expect(reported).toHaveBeenCalled();
    reported.mockRestore();
  });

  test("that is aborted while it is read stops its sender", async () => {
    const { ann, bob, clock, until, source } = createLinkedPair();
    const controller = new AbortController();
    const counter = source({ bytes: 50_000 });
    const endless = createRemoteFile({ name: "endless", type: "", size: 1e12 }, () =>
      createIncomingStream({
        async pull(stream) {
          stream.enqueue((await items.next()).value);
        },
        async cancel() {
          await items.return();
        },
      }),
    );
    const items = counter.items();
    bob.module("Get", () => endless);
    const file: RemoteFile = await until(ann.call("Get").first());
    const onProgress = ({ received }: FileProgress) => {
      if (received > 200_000) controller.abort("the user has left");
    };
    const read = until(file.blob({ signal: controller.signal, onProgress }));
    await expect(read).rejects.toMatchObject({ code: "cancelled", cause: "the user has left" });
    await clock.advance(10);
    expect([counter.cleanedUp, ann.rpc.isIdle, bob.rpc.isIdle]).toEqual([true, true, true]);
  });

  test("can be read after an attempt whose signal was aborted already, or was none", async () => {
    const on = createLinkedPair();
    const file = await fileFrom(on, new Blob(["abc"]));
    await expect(file.blob({ signal: AbortSignal.abort() })).rejects.toEqual(code("cancelled"));
    await expect(file.blob({ signal: {} as AbortSignal })).rejects.toEqual(code("invalid-request"));
    const { signal } = new AbortController();
    expect(await (await on.until(file.blob({ signal }))).text()).toBe("abc");
  });

  test("is claimed when the handler calls `stream()`, and not when the handler ignores it", async () => {
    const { ann, bob, until } = createLinkedPair();
    let taken: RemoteFile | undefined;
    bob.module("Put", ({ request }) => {
      taken = request.taken;
      request.taken.stream();
      return "done";
    });
    const ignored = new File(["a"], "ignored");
    await until(ann.call("Put", { ignored, taken: new File(["b"], "taken") }).first());
    expect(taken?.name).toBe("taken");
    expect(bob.rpc.isIdle).toBe(false);
  });

  test.for([
    ["too few bytes", [new Uint8Array(2), undefined]],
    ["too many bytes", [new Uint8Array(4)]],
    ["something other than bytes", ["abc"]],
  ] as const)("with %s ends the link to its sender", async ([, items]) => {
    const { ann, bob, clock, until } = createLinkedPair();
    bob.module("Get", () => new Promise(() => {}));
    const replies = ann.call("Get");
    await clock.advance(5);
    const attach = () => ({ kind: "blob", detail: [1, "f", "", 3] }) as const;
    bob.scheduler.bulk(0, [Kind.answer, 1, pack(new Blob(), { ...outgoing, attach })]);
    const reading = (await until<RemoteFile>(replies.first())).blob().catch((error) => error);
    await clock.advance(5);
    for (const item of items) bob.scheduler.bulk(0, item ? [Kind.item, 1, pack(item, outgoing)] : [Kind.end, 1]);
    await clock.advance(5);
    expect(ann.ended).toEqual(code("protocol"));
    expect(await reading).toEqual(code("protocol"));
  });
});

const outgoing = { name: "item", code: "invalid-response", depth: 8, size: 1_000 } as const;
