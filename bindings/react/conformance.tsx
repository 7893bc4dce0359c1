import { createElement, type FunctionComponent, memo, type ReactElement, useEffect, useState, version } from "react";
import { flushSync } from "react-dom";
import { createRoot, hydrateRoot } from "react-dom/client";
import type { Framework } from "../conformance/framework.ts";
import {
  Ask,
  Count,
  formatCall,
  formatOthers,
  formatOwnIdentity,
  formatPeers,
  formatRow,
  formatTrust,
  formatUserIdentity,
  type Pages,
  Position,
  showItems,
} from "../conformance/pages.ts";
import {
  BonevalueProvider,
  useCall,
  useEvent,
  useIdentity,
  useIdentityOf,
  useLink,
  useModule,
  useOther,
  useOthers,
  usePeer,
  usePeers,
  usePresence,
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

function ModulePage({ answer, onPeerConnect, allow, verified }: Pages["module"]): null {
  useModule(Ask, () => answer, { allow, verified });
  useEvent("peerconnect", (peer) => onPeerConnect(answer, peer));
  return null;
}

function KeyedModule({ answer }: Pages["keyedModule"]): ReactElement {
  return <ModulePage key={answer} answer={answer} onPeerConnect={() => {}} />;
}

function Trust({ onReady }: Pages["trust"]): ReactElement {
  const { pending, error, ...requests } = useTrust();
  onReady(requests);
  return <p className="trust">{formatTrust(pending, error)}</p>;
}

function Identity({ alias }: Pages["identity"]): ReactElement {
  const [peer] = usePeers(alias);
  return (
    <main>
      <p className="own">{formatOwnIdentity(useIdentity())}</p>
      <p className="user">{formatUserIdentity(alias, useIdentityOf(alias))}</p>
      <p className="link">{String(useLink(peer?.id ?? "").verified)}</p>
    </main>
  );
}

function Others({ query, onCount }: Pages["others"]): ReactElement {
  const others = useOthers(Position, query);
  return (
    <main>
      <p className="others">{formatOthers(others)}</p>
      <OtherCount onCount={onCount} />
    </main>
  );
}

const OtherCount = memo(({ onCount }: Pick<Pages["others"], "onCount">): ReactElement => {
  const count = useOthers(Position, "*", ({ length }) => length);
  onCount(count);
  return <p className="count">{count}</p>;
});

function OtherRows({ ids, onRender }: Pages["otherRows"]): ReactElement {
  return (
    <ul>
      {ids.map((id) => (
        <OtherRow key={id} id={id} onRender={onRender} />
      ))}
    </ul>
  );
}

function OtherRow({ id, onRender }: { id: string; onRender: Pages["otherRows"]["onRender"] }): ReactElement {
  onRender(id);
  return <li className="other">{`${useOther(Position, id, ({ value }) => value)}`}</li>;
}

function Own({ initial, onReady }: Pages["own"]): ReactElement {
  return (
    <main>
      <OwnValue initial={initial} onReady={onReady} />
      <OwnValue initial={initial + 1} onReady={onReady} />
    </main>
  );
}

function OwnValue({ initial, onReady }: Pages["own"]): ReactElement {
  const [value, set] = usePresence(Position, initial);
  onReady(set);
  return <p className="own">{value}</p>;
}

/** The test pages as components. */
export const pages: { readonly [Name in keyof Pages]: FunctionComponent<Pages[Name]> } = {
  presence: PresencePage,
  rows: Rows,
  caller: Caller,
  streamReader: StreamReader,
  module: ModulePage,
  keyedModule: KeyedModule,
  others: Others,
  otherRows: OtherRows,
  own: Own,
  trust: Trust,
  identity: Identity,
};

/** The test pages in React. */
export const react: Framework = {
  name: version.startsWith("18.") ? "React 18" : "React",
  serverPage: "React",
  mount(name, props, { client, host, hydrate, resume }) {
    const tree = (now: typeof props) => (
      <BonevalueProvider client={client} resume={resume}>
        {createElement(pages[name], now)}
      </BonevalueProvider>
    );
    const root = hydrate ? hydrateRoot(host, tree(props)) : createRoot(host);
    const render = (now: typeof props) => flushSync(() => root.render(tree(now)));
    if (!hydrate) render(props);
    return { update: render, unmount: () => flushSync(() => root.unmount()) };
  },
};
