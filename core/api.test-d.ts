import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import {
  type Args,
  type CallOptions,
  createClient,
  defineModule,
  definePresence,
  file,
  type Handler,
  type Module,
  type OwnPresence,
  type Peer,
  type PeerPresence,
  type Query,
  type Reply,
  type RequestInput,
  type ResponseOutput,
  stream,
  type Target,
} from "./index.ts";

type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<_T extends true>(): void {}
const bv = createClient();
const Echo = defineModule("My.Echo", {
  request: v.object({ text: v.string() }),
  response: v.object({ text: v.string() }),
});
// seed
bv.module("My.Echo.Module", (e) => {
  e.callback({ text: `Not ${e.request.text}` });
});
bv.module("My.Echo.Module", (e) => {
  setTimeout(() => e.callback({ text: `Not ${e.request.text}` }));
});
bv.on("peerconnect", (peer) => {
  bv.get(peer.id).message("My.Echo.Module", { text: "Friday" }, false, (response) => {
    console.log(response.text);
  });
});
bv.get("*").message("Ping");
bv.get("*").call("Ping");
// typed
bv.module(Echo, ({ request }) => ({ text: `Not ${request.text}` }));
bv.module(Echo, async ({ request, signal }) => {
  signal.throwIfAborted();
  return { text: request.text };
});
// @ts-expect-error forgot to return
bv.module(Echo, ({ request }) => {
  ({ text: request.text });
});
// @ts-expect-error wrong response
bv.module(Echo, () => ({ nope: 1 }));
// @ts-expect-error wrong
bv.module(Echo, async () => ({ text: 1 }));
// @ts-expect-error sometimes nothing
bv.module(Echo, ({ request }) => {
  if (request.text) return { text: "x" };
});
bv.get("*").message(Echo, { text: "x" }, false, (r, peer) => {
  is<Eq<typeof r, { text: string }>>();
  peer.name;
});
bv.get("*").message(Echo, { text: "x" }, { lossy: true });
// void
const Ping = defineModule("Ping");
bv.get("*").call(Ping);
bv.get("*").call(Ping, null);
bv.get("*").call(Ping, undefined, { timeout: 1 });
bv.module(Ping, () => "pong");
bv.module(Ping, () => {});
bv.module(Ping, async () => {});
const VoidReq = defineModule("v", { request: v.void(), response: v.string() });
bv.get("*").call(VoidReq);
const Cursor = defineModule("Cursor", { request: v.object({ x: v.number() }) });
bv.module(Cursor, ({ request }) => {
  request.x;
});
// @ts-expect-error needed
bv.get("*").call(Cursor);
const OptResp = defineModule("opt", { request: v.string(), response: v.optional(v.string()) });
const m = new Map<string, string>();
bv.module(OptResp, ({ request }) => m.get(request));
bv.module(OptResp, ({ request }) => {
  request;
});
// unions
const U = defineModule("u", {
  request: v.variant("op", [
    v.object({ op: v.literal("get"), key: v.string() }),
    v.object({ op: v.literal("set"), key: v.string(), value: v.number() }),
  ]),
  response: v.variant("ok", [
    v.object({ ok: v.literal(true), value: v.number() }),
    v.object({ ok: v.literal(false), why: v.string() }),
  ]),
});
bv.module(U, ({ request }) => {
  if (request.op === "get") return { ok: true, value: 1 };
  return { ok: false, why: "x" };
});
bv.module(U, async ({ request }) => (request.op === "get" ? { ok: true, value: 1 } : { ok: false, why: "x" }));
bv.get("*").call(U, { op: "get", key: "a" });
// @ts-expect-error
bv.get("*").call(U, { op: "nope" });
const L = defineModule("lit", { request: z.enum(["a", "b"]), response: v.picklist(["x", "y"]) });
bv.module(L, ({ request }) => (request === "a" ? "x" : "y"));
bv.get("q").call(L, "a");
const Ark = defineModule("ark", { request: type({ n: "number" }), response: type({ n: "number" }) });
bv.module(Ark, ({ request }) => ({ n: request.n }));
bv.get("*").call(Ark, { n: 1 });
// streams
const Tail = defineModule("Log.Tail", { request: v.object({ path: v.string() }), response: stream(v.string()) });
bv.module(Tail, async function* ({ request }) {
  yield request.path;
});
// @ts-expect-error
bv.module(Tail, async function* () {
  yield 1;
});
const lines = await bv.get("Oli").call(Tail, { path: "/" }).first();
for await (const l of lines) l.length;
lines.pipeThrough(new TransformStream<string, number>());
// file
const Put = defineModule("File.Put", {
  request: v.object({ file: file() }),
  response: v.object({ bytes: v.number() }),
});
bv.module(
  Put,
  async ({ request }) => {
    const chunks: BlobPart[] = [];
    for await (const c of request.file.stream()) chunks.push(c);
    new Blob(chunks);
    new Response(request.file.stream());
    await bv.get("Us").call(Put, { file: request.file }).first();
    return { bytes: 1 };
  },
  { allow: "Us" },
);
for await (const { status, value, error } of bv.get("*").call(Echo, { text: "" })) {
  if (status === "fulfilled") value.text;
  else error.code;
}
// generic wrappers, as bindings need
function ask<M extends Module>(t: Target, m: M, ...args: Args<M, [options?: CallOptions]>): Promise<ResponseOutput<M>> {
  return t.call(m, ...args).first();
}
const a = await ask(bv.get("*"), U, { op: "get", key: "k" });
is<Eq<typeof a, { ok: true; value: number } | { ok: false; why: string }>>();
declare function callOf<M extends Module>(
  m: M,
  q?: Query,
): {
  call(...args: undefined extends RequestInput<M> ? [request?: RequestInput<M>] : [request: RequestInput<M>]): void;
  replies: readonly Reply<ResponseOutput<M>>[];
};
callOf(Echo, "*").call({ text: "x" });
callOf(Ping).call();
// @ts-expect-error
bv.on("peerconnect", (p: Peer & { extra: number }) => {
  p.extra;
});
const handler: Handler<typeof Echo> = ({ request }) => ({ text: request.text });
bv.module(Echo, handler);
const any1: Module = Echo;
bv.module(any1, () => 1);
for (const each of [Echo, Ping, Tail, Put] satisfies Module[]) bv.get("*").call(each);
const Feed = defineModule("Feed", { response: stream(v.object({ n: v.number() })) });
bv.get("*").each(async (peer, signal) => {
  for await (const x of await bv.get({ peer: peer.id }).call(Feed, undefined, { signal }).first())
    console.log(peer.name, x.n);
});
const zs = defineModule("zs", { response: z.object({ lines: z.custom<AsyncIterable<string>>() }) });
for await (const x of (await bv.get("x").call(zs).first()).lines) x.length;
declare const os: AbortSignal | undefined;
bv.get("*").call(Ping, null, { signal: os });

// Presence: the page sets the schema's input, and others get its output.
const Length = definePresence("Length", v.pipe(v.string(), v.transform(Number)));
const length = bv.presence(Length, "1", { allow: "Us", interval: 50 });
is<Eq<typeof length, OwnPresence<string>>>();
const lengths = bv.get("*").presence(Length).value;
is<Eq<typeof lengths, readonly PeerPresence<number>[]>>();
length.set("2");
// @ts-expect-error the value has the wrong type
length.set(2);
// @ts-expect-error the initial value has the wrong type
bv.presence(Length, 1);
// @ts-expect-error the value is read-only
length.value = "3";
// @ts-expect-error a bare name is no definition
bv.presence("Length", "1");
bv.presence(definePresence("Anything"), { any: 1 }).set("thing");
