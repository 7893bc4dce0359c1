import { createClient, defineModule, type Peer } from "bonevalue";
import * as v from "valibot";
import { ownName, signIn } from "../shell/sign-in.ts";
import { cameraOrPicture } from "./camera.ts";

/** Asks for a call. Answers whether it is accepted, once the person has decided. */
const Ring = defineModule("Call.Ring", { response: v.boolean() });
/** Carries the offer of a call that was accepted, and answers it. */
const Connect = defineModule("Call.Connect", { request: v.string(), response: v.string() });
const HangUp = defineModule("Call.HangUp");

const client = createClient();
const app = document.querySelector("#app")!;

/** The call that rings or goes on. */
let current: { readonly peer: Peer; readonly end: AbortController } | undefined;
/** Why the last call has ended. */
let notice = "";

client.peers.subscribe(showContacts);
client.module(Ring, ({ peer, signal }) => (current ? false : askWhether(peer, signal)));
client.module(HangUp, ({ peer }) => {
  if (current?.peer.id === peer.id) end(`${peer.name} has hung up.`);
});
client.module(Connect, async ({ request, peer }) => {
  if (current?.peer.id !== peer.id) throw new Error("This call was not accepted.");
  const connection = await begin(peer);
  await connection.setRemoteDescription({ type: "offer", sdp: request });
  await connection.setLocalDescription();
  return completeDescription(connection);
});
client.on("peerdisconnect", (id) => {
  if (current?.peer.id === id) end(`${current.peer.name} has left.`);
});

async function ring(peer: Peer): Promise<void> {
  current = { peer, end: new AbortController() };
  show(text("h2", `Calling ${peer.name} …`), button("Cancel", hangUp));
  const { signal } = current.end;
  try {
    const target = client.get({ peer: peer.id });
    if (!(await target.call(Ring, undefined, { signal, timeout: 60_000 }).first()))
      return end(`${peer.name} does not answer.`);
    const connection = await begin(peer);
    await connection.setLocalDescription();
    const sdp = await target.call(Connect, await completeDescription(connection), { signal }).first();
    await connection.setRemoteDescription({ type: "answer", sdp });
  } catch (error) {
    if (!signal.aborted) end(error instanceof Error ? error.message : String(error));
  }
}

/** Shows that a peer rings. Resolves to the person's decision, or to false when the peer gives up. */
function askWhether(peer: Peer, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const incoming = { peer, end: new AbortController() };
    current = incoming;
    const decide = (accepted: boolean) => () => {
      if (!accepted && current === incoming) end();
      resolve(accepted);
    };
    signal.addEventListener("abort", decide(false));
    // The peer may also hang up, or leave.
    incoming.end.signal.addEventListener("abort", () => resolve(false));
    show(
      text("h2", `${peer.name} is calling`),
      button("Accept", decide(true)),
      button("Decline", decide(false), "quiet"),
    );
  });
}

/** Creates the connection of the current call, and shows both pictures. Throws if the call ends before they are ready. */
async function begin(peer: Peer): Promise<RTCPeerConnection> {
  const { signal } = current!.end;
  const media = await cameraOrPicture(ownName());
  const connection = new RTCPeerConnection();
  const close = () => {
    connection.close();
    for (const track of media.getTracks()) track.stop();
  };
  signal.addEventListener("abort", close);
  // The call may have ended while the page waited for the camera.
  if (signal.aborted) close();
  signal.throwIfAborted();
  for (const track of media.getTracks()) connection.addTrack(track, media);
  connection.onconnectionstatechange = () => {
    if (connection.connectionState === "failed") end(`The connection to ${peer.name} was lost.`);
  };
  connection.ontrack = ({ streams }) => {
    show(video(streams[0]!, peer.name), video(media, "You", true), button("Hang up", hangUp));
  };
  return connection;
}

function hangUp(): void {
  if (current) client.get({ peer: current.peer.id }).message(HangUp);
  end();
}

/** Ends the current call, and shows why. */
function end(reason = ""): void {
  current?.end.abort();
  current = undefined;
  notice = reason;
  showContacts(client.peers.value);
}

function showContacts(peers: readonly Peer[]): void {
  if (current) return;
  const others = peers.filter(({ name }) => name !== "Us");
  const contacts = others.map((peer) => button(`Call ${peer.name}`, () => ring(peer)));
  const hint = contacts.length > 0 ? "" : "As soon as both of you are online, a button to call appears here.";
  show(...[notice, hint].filter((line) => line !== "").map((line) => text("p", line)), ...contacts);
}

/** The description with all addresses, so that one message each way is enough. */
async function completeDescription(connection: RTCPeerConnection): Promise<string> {
  while (connection.iceGatheringState !== "complete")
    await new Promise((resolve) => connection.addEventListener("icegatheringstatechange", resolve, { once: true }));
  return connection.localDescription!.sdp;
}

function show(...content: readonly HTMLElement[]): void {
  const section = Object.assign(document.createElement("section"), { className: "call" });
  section.append(...content);
  app.replaceChildren(...(content.length > 0 ? [section] : []));
}

function text(tag: string, textContent: string): HTMLElement {
  return Object.assign(document.createElement(tag), { textContent, role: "status" });
}

function button(textContent: string, onclick: () => void, className = ""): HTMLElement {
  return Object.assign(document.createElement("button"), { textContent, onclick, className });
}

function video(srcObject: MediaStream, name: string, muted = false): HTMLElement {
  const picture = Object.assign(document.createElement("video"), {
    srcObject,
    autoplay: true,
    playsInline: true,
    muted,
  });
  picture.setAttribute("aria-label", name);
  return picture;
}

await signIn(client);
