import { createClient, defineModule } from "bonevalue";
import { BonevalueProvider, useCall, useModule, usePeers } from "bonevalue/react";
import { createRoot } from "react-dom/client";
import * as v from "valibot";
import { signIn } from "../../shell/sign-in.ts";

const Echo = defineModule("Echo", { request: v.string(), response: v.string() });
const client = createClient();

function App() {
  const peers = usePeers();
  const { call, replies } = useCall(Echo);
  useModule(Echo, ({ request }) => `Not ${request}`);

  return (
    <div className="card">
      <form action={(data) => void call(String(data.get("text")))}>
        <input name="text" defaultValue="Friday" aria-label="Text" required />
        <button type="submit">Send to everyone ({peers.length})</button>
      </form>
      <ul className="rows" role="log">
        {replies.map(({ peer, value, error }) => (
          <li key={peer.id}>
            <b data-who={peer.name}>{peer.name}</b> {value ?? error?.message}
          </li>
        ))}
      </ul>
    </div>
  );
}

createRoot(document.querySelector("#app")!).render(
  <BonevalueProvider client={client}>
    <App />
  </BonevalueProvider>,
);
await signIn(client);
