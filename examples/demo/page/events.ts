import type { Client } from "bonevalue";
import { createElement } from "./element.ts";
import { shortId } from "./short-id.ts";

const maxEntries = 200;

/** Shows every event of `client` in `list`, newest first, until `signal` aborts. */
export function logEvents(client: Client, list: HTMLOListElement, signal: AbortSignal): void {
  function log(name: string, detail = ""): void {
    const time = createElement("time", {}, new Date().toLocaleTimeString(undefined, { hour12: false }));
    list.prepend(createElement("li", {}, time, createElement("b", {}, name), createElement("span", {}, detail)));
    while (list.children.length > maxEntries) list.lastElementChild?.remove();
  }

  const undo = [
    client.on("connect", () => log("connect", "signed in")),
    client.on("disconnect", (reason) => log("disconnect", reason?.message ?? "signed out")),
    client.on("peerconnect", ({ name, id }) => log("peerconnect", `${name} ${shortId(id)}`)),
    client.on("peerdisconnect", (id) => log("peerdisconnect", shortId(id))),
    client.on("newuser", (alias) => log("newuser", alias)),
    client.on("userremoved", (alias) => log("userremoved", alias)),
    client.on("error", ({ code, message }) => log("error", `${code}: ${message}`)),
  ];
  signal.addEventListener("abort", () => {
    for (const off of undo) off();
  });
}
