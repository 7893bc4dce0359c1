/** What the programs of the client print. */
export const clientPrints = "Ann hears: Not Friday, 3 bytes, a file of 6; diagnosed: true";

/** Two clients call each other over the network of `bonevalue/testing`, and one loads what is loaded on demand. */
export const clientProgram = `
import { createClient, defineModule, websocket, webrtc } from "bonevalue";
import { createNetwork } from "bonevalue/testing";

export async function talk() {
  const Echo = defineModule("Echo");
  const network = createNetwork();
  const [ann, bob] = [network.client("ann"), network.client("bob")];
  await ann.connect("test", "ann", "");
  await bob.connect("test", "bob", "");
  bob.module(Echo, async ({ request: { text, bytes, file } }) => {
    if (!(bytes instanceof Uint8Array)) throw new Error("bytes arrive as something else");
    return "Not " + text + ", " + bytes.length + " bytes, a file of " + (await file.blob()).size;
  });
  const request = { text: "Friday", bytes: Uint8Array.of(1, 2, 3), file: new Blob(["abcdef"]) };
  const [reply] = await ann.get("bob").call(Echo, request).all();
  const page = createClient({ discovery: websocket(), transport: webrtc() });
  const diagnosis = String(await page.diagnose());
  await Promise.all([ann.disconnect(), bob.disconnect()]);
  if (reply.error) throw new Error(reply.error.message, { cause: reply.error });
  return "Ann hears: " + reply.value + "; diagnosed: " + (diagnosis.length > 0);
}
`;

/** The program as one file that runs. */
export const clientMain: string = `${clientProgram}
talk().then((text) => console.log(text));
`;

/** What the program of the server prints. */
export const serverPrints = "The server has an account: true";

/** Starts a discovery server, adds an account and closes the server. */
export const serverMain = `
import { createServer } from "bonevalue-server";

async function main() {
  const server = await createServer({ port: 0, store: ":memory:", log: { ...console, info() {} } });
  await server.accounts.add("ann", "correct horse");
  console.log("The server has an account: " + server.url.startsWith("ws://127.0.0.1:"));
  await server.close();
}

main();
`;

/** A typed program for every mode of module resolution. */
export const typedClient = `
import { type Client, createClient, defineModule, type Replies, webrtc, websocket } from "bonevalue";
import { createClient as createFromSingleFile } from "bonevalue/browser";
import { createNetwork, type Network } from "bonevalue/testing";
import * as v from "valibot";

export const Echo = defineModule("Echo", { request: v.string(), response: v.string() });
export const client: Client = createClient({ discovery: websocket(), transport: webrtc() });
export const replies: Replies<string> = client.get("*").call(Echo, "Friday");
export const network: Network = createNetwork({ latency: 20 });
export const other: Client = createFromSingleFile();
client.module(Echo, ({ request }) => request.toUpperCase());
// @ts-expect-error The request is a string.
client.get("*").call(Echo, 1);
`;

/** A typed program over the bindings, whose frameworks' own types need the DOM library. */
export const typedBindings = `
import { defineModule } from "bonevalue";
import { useCall as useReactCall } from "bonevalue/react";
import { useCall as useSvelteCall } from "bonevalue/svelte";
import { useCall as useVueCall } from "bonevalue/vue";
import "bonevalue/global";

export const Echo = defineModule("Echo");
export const calls = [useReactCall, useVueCall, useSvelteCall] as const;
export const id: string | undefined = $BV.getId();
`;

/** A typed program over the server. */
export const typedServer = `
import { type BonevalueServer, createServer, type ServerOptions } from "bonevalue-server";

export const options: ServerOptions = { port: 0, store: ":memory:" };
export const server: Promise<BonevalueServer> = createServer(options);
// @ts-expect-error There is no such option.
createServer({ prot: 1 });
`;
