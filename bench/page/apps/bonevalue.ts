import { createClient } from "bonevalue";
import { answers, parameters } from "./app.ts";

const client = createClient({ remember: parameters.has("remember") ? "tab" : undefined });
const { promise: reply, resolve } = Promise.withResolvers<number>();
let changes = 0;
client.on("peerconnect", () => changes++);
client.on("peerdisconnect", () => changes++);
client.module("Echo", ({ request }) => request);
globalThis.app = { reply, id: client.getId, changes: () => changes };

const isBack = parameters.has("remember") && (await client.resume());
if (!isBack) await client.connect(parameters.get("server")!, { room: "load" });
if (!answers) {
  await client.get("*").call("Echo", "Hello").first();
  resolve(performance.now());
}
