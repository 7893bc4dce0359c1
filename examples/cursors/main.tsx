import { createClient, defineModule, type Peer } from "bonevalue";
import { BonevalueProvider, useClient, useModule, usePeers } from "bonevalue/react";
import { type PointerEvent, useCallback, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import * as v from "valibot";
import { signIn } from "../shell/sign-in.ts";
import { createPositions } from "./positions.ts";
import { RenderCount } from "./render-count.tsx";

const Move = defineModule("Cursor.Move", { request: v.object({ x: v.number(), y: v.number() }) });
const client = createClient();
const positions = createPositions();

function Cursor({ peer }: { peer: Peer }) {
  const subscribe = useCallback((listener: () => void) => positions.subscribe(peer.id, listener), [peer.id]);
  const position = useSyncExternalStore(subscribe, () => positions.of(peer.id));
  const { x, y } = position ?? { x: 0, y: 0 };
  return (
    <div className="cursor" data-who={peer.name} style={{ left: `${x * 100}%`, top: `${y * 100}%` }} hidden={!position}>
      {peer.name} <RenderCount />
    </div>
  );
}

function Stage() {
  const everyone = useClient().get("*");
  const peers = usePeers();
  useModule(Move, ({ request, peer }) => positions.move(peer.id, request));

  // Browsers fire one of these events for each frame.
  function sendPosition({ clientX, clientY, currentTarget }: PointerEvent) {
    const { left, top, width, height } = currentTarget.getBoundingClientRect();
    everyone.message(Move, { x: (clientX - left) / width, y: (clientY - top) / height }, { lossy: true });
  }

  return (
    <div className="card">
      <div className="stage" onPointerMove={sendPosition}>
        {peers.map((peer) => (
          <Cursor key={peer.id} peer={peer} />
        ))}
      </div>
      <small>
        Other peers: {peers.length}. The stage <RenderCount />
      </small>
    </div>
  );
}

createRoot(document.querySelector("#app")!).render(
  <BonevalueProvider client={client}>
    <Stage />
  </BonevalueProvider>,
);
await signIn(client);
