import { createClient } from "bonevalue";
import { createYjsProvider } from "bonevalue/yjs";
import * as Y from "yjs";
import { signIn } from "../shell/sign-in.ts";
import { bindTextArea } from "./text-area.ts";

const client = createClient();
const doc = new Y.Doc();
const note = document.querySelector("small")!;

createYjsProvider(client, doc, { query: "*", name: "shared-text" });
bindTextArea(document.querySelector("textarea")!, doc.getText("text"));

client.peers.subscribe((peers) => {
  note.textContent = peers.length > 0 ? `Shared with ${peers.map(({ name }) => name).join(", ")}` : "Not shared yet";
});

await signIn(client);
