import { createClient, defineModule } from "bonevalue";
import * as v from "valibot";
import { signIn } from "../../shell/sign-in.ts";

const Echo = defineModule("Echo", { request: v.string(), response: v.string() });
const client = createClient();
const form = document.querySelector("form")!;
const button = document.querySelector("button")!;
const list = document.querySelector("ul")!;

client.module(Echo, ({ request }) => `Not ${request}`);

client.peers.subscribe(({ length }) => {
  button.textContent = `Send to everyone (${length})`;
});

form.onsubmit = async (event) => {
  event.preventDefault();
  list.replaceChildren();
  const text = String(new FormData(form).get("text"));
  for await (const { peer, value, error } of client.get("*").call(Echo, text)) {
    const row = document.createElement("li");
    const name = document.createElement("b");
    name.textContent = peer.name;
    name.dataset["who"] = peer.name;
    row.append(name, value ?? error?.message ?? "");
    list.append(row);
  }
};

await signIn(client);
