import { createElement, type FunctionComponent, type ReactElement, useEffect, useState, version } from "react";
import { flushSync } from "react-dom";
import { createRoot, hydrateRoot } from "react-dom/client";
import type { Framework } from "../conformance/framework.ts";
import { Ask, Count, callLine, line, type Pages, read, trustLine } from "../conformance/pages.ts";
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

function People({ query, saw }: Pages["people"]): ReactElement {
  return (
    <main>
      <p className="status">{useStatus()}</p>
      <p className="self">{useSelf()?.username ?? "nobody"}</p>
      <p className="users">{useUsers().join(" ")}</p>
      <Peers query={query} saw={saw} />
      <Peers query={query} saw={saw} />
    </main>
  );
}

function Peers({ query, saw }: Pages["people"]): ReactElement {
  const peers = usePeers(query);
  saw(peers);
  return <p className="peers">{line(query, peers)}</p>;
}

function Rows({ ids, rendered }: Pages["rows"]): ReactElement {
  return (
    <ul>
      {ids.map((id) => (
        <Row key={id} id={id} rendered={rendered} />
      ))}
    </ul>
  );
}

function Row({ id, rendered }: { id: string; rendered: Pages["rows"]["rendered"] }): ReactElement {
  rendered(id);
  return <li className="row">{`${usePeer(id)?.name} ${useLink(id).status}`}</li>;
}

function Caller({ query, made }: Pages["caller"]): ReactElement {
  const ask = useCall(Ask, query);
  made(ask);
  return <p className="call">{callLine(ask)}</p>;
}

function Reader({ from }: Pages["reader"]): ReactElement {
  const [item, setItem] = useState<number>();
  const { call } = useCall(Count, "bob");
  useEffect(() => {
    read(call(from), setItem);
  }, [call, from]);
  return <p className="reader">{item}</p>;
}

function Offer({ answer, heard, allow }: Pages["offer"]): null {
  useModule(Ask, () => answer, { allow });
  useEvent("peerconnect", (peer) => heard(answer, peer));
  return null;
}

function Places({ answer }: Pages["places"]): ReactElement {
  return <Offer key={answer} answer={answer} heard={() => {}} />;
}

function Trust({ made }: Pages["trust"]): ReactElement {
  const { claimToken, pending, error } = useTrust();
  made(claimToken);
  return <p className="trust">{trustLine(pending, error)}</p>;
}

/** Each page, as a component. */
export const pages: { readonly [Name in keyof Pages]: FunctionComponent<Pages[Name]> } = {
  people: People,
  rows: Rows,
  caller: Caller,
  reader: Reader,
  offer: Offer,
  places: Places,
  trust: Trust,
};

/** The pages in React. */
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
