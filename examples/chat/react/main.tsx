import { createClient, type Peer } from "bonevalue";
import { BonevalueProvider, useCall, useEvent, useLink, useModule, usePeers } from "bonevalue/react";
import { useState } from "react";
import { createRoot } from "react-dom/client";
import { signIn } from "../../shell/sign-in.ts";
import { type Line, receipt, Say, withLine } from "../chat.ts";

const client = createClient();

function Person({ peer }: { peer: Peer }) {
  const link = useLink(peer.id);
  return (
    <li>
      <b data-who={peer.name}>{peer.name}</b> <small>{link.path ?? link.status}</small>
    </li>
  );
}

function App() {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const peers = usePeers();
  const { call, replies, pending } = useCall(Say);
  const add = (who: string, text: string) => setLines((before) => withLine(before, who, text));

  useModule(Say, ({ request, peer }) => add(peer.name, request));
  useEvent("peerconnect", ({ name }) => add(name, "is here"));

  function say(data: FormData) {
    const text = String(data.get("text"));
    add("You", text);
    call(text);
  }

  return (
    <div className="card">
      <ul className="people" aria-label="Online">
        {peers.map((peer) => (
          <Person key={peer.id} peer={peer} />
        ))}
      </ul>
      <ul className="log" role="log">
        {lines.map(({ id, who, text }) => (
          <li key={id}>
            <b data-who={who}>{who}</b> {text}
          </li>
        ))}
      </ul>
      <form action={say}>
        <input name="text" aria-label="Message" autoComplete="off" required />
        <button type="submit">Say</button>
      </form>
      <small role="status">{receipt(replies, pending)}</small>
    </div>
  );
}

createRoot(document.querySelector("#app")!).render(
  <BonevalueProvider client={client}>
    <App />
  </BonevalueProvider>,
);
await signIn(client);
