import * as React from "react";
import {
  Component,
  type ReactElement,
  type ReactNode,
  StrictMode,
  Suspense,
  startTransition,
  useEffect,
  useState,
} from "react";
import { flushSync } from "react-dom";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Client } from "../../core/index.ts";
import { createNetwork, type Network } from "../../core/testing/network.ts";
import { eventually } from "../../tools/eventually.ts";
import { type CountingClient, createCountingClient } from "../conformance/counting-client.ts";
import { joinManyPeers } from "../conformance/many-peers.ts";
import { Ask, type CallControls, Position, type TrustRequests } from "../conformance/pages.ts";
import { createSignedNetwork } from "../conformance/signed-network.ts";
import { pages } from "./conformance.tsx";
import { BonevalueProvider, useCall, useModule, usePeers, useStatus } from "./index.ts";

let network: Network;
let ann: CountingClient;
let bob: Client;
let host: HTMLElement;
let root: Root;

beforeEach(async () => {
  network = createNetwork();
  ann = createCountingClient(network.client("ann"));
  bob = network.client("bob");
  await bob.connect("test", "bob", "");
  await ann.client.connect("test", "ann", "");
  host = document.body.appendChild(document.createElement("div"));
  root = createRoot(host);
});

afterEach(async () => {
  flushSync(() => root.unmount());
  host.remove();
  await Promise.all([ann.client.disconnect(), bob.disconnect()]);
  expect(ann.open).toBe(0);
});

function render(tree: ReactNode): void {
  flushSync(() => root.render(<BonevalueProvider client={ann.client}>{tree}</BonevalueProvider>));
}

const noop = () => {};
const askAnn = () => bob.get("ann").call(Ask, "").first();

describe("StrictMode", () => {
  test("offers one presence, and withdraws it after the last unmount", async () => {
    const values: unknown[] = [];
    const stop = bob
      .get("ann")
      .presence(Position)
      .subscribe((list) => values.push(...list.map(({ value }) => value)));
    let set: ((value: number) => void) | undefined;
    const onReady = (now: (value: number) => void) => {
      set = now;
    };
    render(
      <StrictMode>
        <pages.own initial={1} onReady={onReady} />
        <pages.others query="*" onCount={noop} />
      </StrictMode>,
    );
    bob.presence(Position, 7);
    await eventually(() => expect(host.querySelector(".others")?.textContent).toBe("bob 7"));
    set?.(2);
    await eventually(() => expect(values).toEqual([1, 2]));
    render(null);
    await eventually(() => expect(ann.open).toBe(0));
    stop();
  });

  test("keeps one module, one listener and working calls", async () => {
    bob.module(Ask, () => "bob");
    const connected: string[] = [];
    let caller: CallControls | undefined;
    const onReady = (now: CallControls) => {
      caller = now;
    };
    render(
      <StrictMode>
        <pages.module answer="ann" onPeerConnect={(_, peer) => connected.push(peer.name)} />
        <pages.caller query="bob" onReady={onReady} />
      </StrictMode>,
    );
    expect(await askAnn()).toBe("ann");
    caller?.call("Who?");
    await eventually(() => expect(host.textContent).toBe("idle 1/1 bob"));
    const cid = network.client("cid");
    await cid.connect("test", "cid", "");
    await eventually(() => expect(connected).toEqual(["cid"]));
    await cid.disconnect();
  });
});

describe("StrictMode with identity", () => {
  test("follows a user's identity, keeps the functions of useTrust, and releases all of it", async () => {
    const signed = createSignedNetwork();
    const [cid, dee] = [createCountingClient(signed.client("cid")), signed.client("dee")];
    await cid.client.connect("test", "cid", "");
    await dee.connect("test", "dee", "");
    const requests = new Set<TrustRequests["acceptIdentity"]>();
    const onReady = ({ acceptIdentity }: TrustRequests) => void requests.add(acceptIdentity);
    flushSync(() =>
      root.render(
        <StrictMode>
          <BonevalueProvider client={cid.client}>
            <pages.identity alias="dee" />
            <pages.trust onReady={onReady} />
          </BonevalueProvider>
        </StrictMode>,
      ),
    );
    await dee.get("cid").call(Ask, "").all();
    const shown = () => host.querySelector(".user")?.textContent;
    await eventually(() => expect(shown()).toBe("dee seen 12 groups"));
    const { size } = requests;
    await [...requests].at(-1)?.("dee", dee.identity.peek()?.account ?? "");
    await eventually(() => expect(shown()).toBe("dee verified 12 groups"));
    expect(requests.size).toBe(size);
    flushSync(() => root.render(null));
    expect(cid.open).toBe(0);
    await Promise.all([cid.client.disconnect(), dee.disconnect()]);
  });
});

describe("an effect that calls", () => {
  test("shows the reply under StrictMode, and calls again only when the request changes", async () => {
    const asked: unknown[] = [];
    bob.module("Name", ({ request }) => {
      asked.push(request);
      return request.id;
    });
    const Name = ({ request }: { request: { id: number } }) => {
      const { call, first } = useCall("Name", "bob");
      useEffect(() => void call(request), [call, request]);
      return <p>{first}</p>;
    };
    for (const request of [1, 2].map((id) => Object.freeze({ id }))) {
      const tree = (
        <StrictMode>
          <Name request={request} />
        </StrictMode>
      );
      render(tree);
      await eventually(() => expect(host.textContent).toBe(String(request.id)));
      render(tree);
    }
    expect(asked.at(-1)).toEqual({ id: 2 });
    expect(asked.length).toBeLessThanOrEqual(3);
  });
});

describe("Suspense", () => {
  test("a suspended tree subscribes only once it is shown", async () => {
    const data = Promise.withResolvers<void>();
    let ready = false;
    function SuspendedList(): ReactElement {
      const peers = usePeers();
      if (!ready) throw data.promise;
      return <p>{peers.length}</p>;
    }
    const tree = (
      <Suspense fallback="…">
        <SuspendedList />
      </Suspense>
    );
    render(tree);
    expect(host.textContent).toBe("…");
    expect(ann.open).toBe(0);
    await bob.disconnect();
    ready = true;
    data.resolve();
    await eventually(() => expect(host.textContent).toBe("0"));
    await bob.connect("test", "bob", "");
    await eventually(() => expect(host.textContent).toBe("1"));
  });
});

describe("a transition", () => {
  test("shows one state everywhere when the state changes during it", async () => {
    const group = await joinManyPeers(1);
    const seen: number[] = [];
    let show: (many: boolean) => void = noop;
    function Count(): ReactElement {
      // Long enough for React to continue the transition in another task.
      for (const until = performance.now() + 3; performance.now() < until; );
      const { length } = usePeers();
      seen.push(length);
      if (seen.length === 10) queueMicrotask(() => group.addPeer("late"));
      return <i>{length}</i>;
    }
    function List(): ReactElement {
      const [many, setMany] = useState(false);
      show = setMany;
      return (
        <p>
          {Array.from({ length: many ? 30 : 1 }, (_, index) => (
            <Count key={String(index)} />
          ))}
        </p>
      );
    }
    flushSync(() =>
      root.render(
        <BonevalueProvider client={group.client}>
          <List />
        </BonevalueProvider>,
      ),
    );
    startTransition(() => show(true));
    await eventually(() => expect(host.textContent).toBe("2".repeat(30)));
    expect(seen.indexOf(2)).toBeGreaterThanOrEqual(10);
    expect(seen.indexOf(2)).toBeLessThan(31);
    await group.client.disconnect();
  });
});

describe("a change of client", () => {
  test("cancels the call of the previous client and clears its state", async () => {
    bob.module(Ask, () => new Promise(noop));
    let caller: CallControls | undefined;
    const onReady = (now: CallControls) => {
      caller = now;
    };
    render(<pages.caller query="bob" onReady={onReady} />);
    const replies = caller?.call("Who?");
    await eventually(() => expect(host.textContent).toBe("pending 0/1"));
    flushSync(() =>
      root.render(
        <BonevalueProvider client={network.client("cid")}>
          <pages.caller query="bob" onReady={onReady} />
        </BonevalueProvider>,
      ),
    );
    expect(host.textContent).toBe("idle 0/0");
    expect(await replies?.all()).toMatchObject([{ error: { code: "cancelled" } }]);
  });
});

describe("Activity", () => {
  test("a hidden tree has no module, no listener and no running call until it is visible again", async ({ skip }) => {
    const { version } = React;
    if (!("Activity" in React)) skip(`React ${version} has no Activity: it was added in 19.2`);
    let caller: CallControls | undefined;
    const onReady = (now: CallControls) => {
      caller = now;
    };
    bob.module(Ask, () => new Promise(noop));
    const tree = (mode: "visible" | "hidden") => (
      <React.Activity mode={mode}>
        <pages.module answer="ann" onPeerConnect={noop} />
        <pages.caller query="bob" onReady={onReady} />
        <pages.presence query="*" onPeers={noop} />
      </React.Activity>
    );
    render(tree("visible"));
    expect(await askAnn()).toBe("ann");
    const replies = caller?.call("Who?");
    render(tree("hidden"));
    expect(await replies?.all()).toMatchObject([{ error: { code: "cancelled" } }]);
    await expect(askAnn()).rejects.toMatchObject({ code: "unknown-module" });
    expect(ann.open).toBe(0);
    render(tree("visible"));
    expect(await askAnn()).toBe("ann");
  });
});

/** Renders the message of an error that a child has thrown. */
class Boundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};
  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }
  override render(): ReactNode {
    return this.state.error?.message ?? this.props.children;
  }
}

describe("the nearest error boundary receives the error of", () => {
  beforeEach(() => void vi.spyOn(console, "error").mockImplementation(noop));
  afterEach(() => void vi.restoreAllMocks());

  test("a hook without a provider", () => {
    const Orphan = () => useStatus();
    flushSync(() =>
      root.render(
        <Boundary>
          <Orphan />
        </Boundary>,
      ),
    );
    expect(host.textContent).toContain("Wrap this tree in <BonevalueProvider client={client}>");
  });

  test("a module that the app has already registered", ({ skip }) => {
    const { version } = React;
    if (version.startsWith("18.")) skip("React 18 reports these errors with an event, and happy-dom rethrows them");
    const undo = ann.client.module("Taken", noop);
    const ModulePage = () => {
      useModule("Taken", noop);
      return null;
    };
    render(
      <Boundary>
        <ModulePage />
      </Boundary>,
    );
    expect(host.textContent).toContain("Taken");
    undo();
  });
});

test("an inline `allow` does not register the module again", async () => {
  const Inline = ({ round }: { round: number }) => {
    useModule(Ask, () => `round ${round}`, { allow: { user: "bob" } });
    return null;
  };
  for (const round of [1, 2, 3]) render(<Inline round={round} />);
  expect(ann.registrations).toBe(1);
  expect(await askAnn()).toBe("round 3");
});
