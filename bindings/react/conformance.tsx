import { createElement, type FunctionComponent, type ReactElement, useEffect, useState, version } from "react";
import { flushSync } from "react-dom";
import { createRoot, hydrateRoot } from "react-dom/client";
import type { Framework } from "../conformance/framework.ts";
import {
  Ask,
  Count,
  formatCall,
  formatPeers,
  formatRow,
  formatTrust,
  type Pages,
  showItems,
} from "../conformance/pages.ts";
import {
  BonevalueProvider,
  useCall,
  useEvent,
  useLink,
  useModule,
  usePeer,
  usePeers,
  useSelf,
  useStatus,
  useTrust,
  useUsers,
} from "./index.ts";

function PresencePage({ query, onPeers }: Pages["presence"]): ReactElement {
  return (
    <main>
      <p className="status">{useStatus()}</p>
      <p className="self">{useSelf()?.username ?? "nobody"}</p>
      <p className="users">{useUsers().join(" ")}</p>
      <Peers query={query} onPeers={onPeers} />
      <Peers query={query} onPeers={onPeers} />
    </main>
  );
}

function Peers({ query, onPeers }: Pages["presence"]): ReactElement {
  const peers = usePeers(query);
  onPeers(peers);
  return <p className="peers">{formatPeers(query, peers)}</p>;
}

function Rows({ ids, onRender }: Pages["rows"]): ReactElement {
  return (
    <ul>
      {ids.map((id) => (
        <Row key={id} id={id} onRender={onRender} />
      ))}
    </ul>
  );
}

function Row({ id, onRender }: { id: string; onRender: Pages["rows"]["onRender"] }): ReactElement {
  onRender(id);
  return <li className="row">{formatRow(usePeer(id), useLink(id))}</li>;
}

function Caller({ query, onReady }: Pages["caller"]): ReactElement {
  const ask = useCall(Ask, query);
  onReady(ask);
  return <p className="call">{formatCall(ask)}</p>;
}

function StreamReader({ from }: Pages["streamReader"]): ReactElement {
  const [item, setItem] = useState<number>();
  const { call } = useCall(Count, "bob");
  useEffect(() => {
    showItems(call(from), setItem);
  }, [call, from]);
  return <p className="reader">{item}</p>;
}

function ModulePage({ answer, onPeerConnect, allow }: Pages["module"]): null {
  useModule(Ask, () => answer, { allow });
  useEvent("peerconnect", (peer) => onPeerConnect(answer, peer));
  return null;
}

function KeyedModule({ answer }: Pages["keyedModule"]): ReactElement {
  return <ModulePage key={answer} answer={answer} onPeerConnect={() => {}} />;
}

function Trust({ onReady }: Pages["trust"]): ReactElement {
  const { claimToken, pending, error } = useTrust();
  onReady(claimToken);
  return <p className="trust">{formatTrust(pending, error)}</p>;
}

/** The test pages as components. */
export const pages: { readonly [Name in keyof Pages]: FunctionComponent<Pages[Name]> } = {
  presence: PresencePage,
  rows: Rows,
  caller: Caller,
  streamReader: StreamReader,
  module: ModulePage,
  keyedModule: KeyedModule,
  trust: Trust,
};

/** The test pages in React. */
export const react: Framework = {
  name: version.startsWith("18.") ? "React 18" : "React",
  serverPage: "React",
  mount(name, props, { client, host, hydrate }) {
    const tree = (now: typeof props) => (
      <BonevalueProvider client={client}>{createElement(pages[name], now)}</BonevalueProvider>
    );
    const root = hydrate ? hydrateRoot(host, tree(props)) : createRoot(host);
    const render = (now: typeof props) => flushSync(() => root.render(tree(now)));
    if (!hydrate) render(props);
    return { update: render, unmount: () => flushSync(() => root.unmount()) };
  },
};
