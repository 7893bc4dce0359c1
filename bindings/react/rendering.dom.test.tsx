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
import { type CountedClient, counted } from "../conformance/counted.ts";
import { joinCrowd } from "../conformance/crowd.ts";
import { Ask, type Made } from "../conformance/pages.ts";
import { pages } from "./conformance.tsx";
import { BonevalueProvider, useCall, useModule, usePeers, useStatus } from "./index.ts";

let network: Network;
let ann: CountedClient;
let bob: Client;
let host: HTMLElement;
let root: Root;

beforeEach(async () => {
  network = createNetwork();
  ann = counted(network.client("ann"));
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

const ignore = () => {};
const askAnn = () => bob.get("ann").call(Ask, "").first();

describe("StrictMode", () => {
  test("leaves one module, one listener and working calls", async () => {
    bob.module(Ask, () => "bob");
    const heard: string[] = [];
    let caller: Made | undefined;
    const made = (now: Made) => {
      caller = now;
    };
    render(
      <StrictMode>
        <pages.offer answer="ann" heard={(_, peer) => heard.push(peer.name)} />
        <pages.caller query="bob" made={made} />
      </StrictMode>,
    );
    expect(await askAnn()).toBe("ann");
    caller?.call("Who?");
    await eventually(() => expect(host.textContent).toBe("still 1/1 bob"));
    const cid = network.client("cid");
    await cid.connect("test", "cid", "");
    await eventually(() => expect(heard).toEqual(["cid"]));
    await cid.disconnect();
  });
});

describe("an effect that calls", () => {
  test("shows the reply under StrictMode as well, and asks anew when the request is another, not at other renders", async () => {
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
  test("a tree that waits keeps up once it is shown, and holds nothing if it never is", async () => {
    const data = Promise.withResolvers<void>();
    let ready = false;
    function Waits(): ReactElement {
      const peers = usePeers();
      if (!ready) throw data.promise;
      return <p>{peers.length}</p>;
    }
    const tree = (
      <Suspense fallback="…">
        <Waits />
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
  test("that a change overtakes shows one state everywhere", async () => {
    const crowd = await joinCrowd(1);
    const seen: number[] = [];
    let show: (many: boolean) => void = ignore;
    function Count(): ReactElement {
      // Long enough for React to leave the rest of the transition for another turn.
      for (const until = performance.now() + 3; performance.now() < until; );
      const { length } = usePeers();
      seen.push(length);
      if (seen.length === 10) queueMicrotask(() => crowd.arrive("late"));
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
        <BonevalueProvider client={crowd.client}>
          <List />
        </BonevalueProvider>,
      ),
    );
    startTransition(() => show(true));
    await eventually(() => expect(host.textContent).toBe("2".repeat(30)));
    expect(seen.indexOf(2)).toBeGreaterThanOrEqual(10);
    expect(seen.indexOf(2)).toBeLessThan(31);
    await crowd.client.disconnect();
  });
});

describe("a client in place of another", () => {
  test("is shown no call of the one before, which is cancelled", async () => {
    bob.module(Ask, () => new Promise(ignore));
    let caller: Made | undefined;
    const made = (now: Made) => {
      caller = now;
    };
    render(<pages.caller query="bob" made={made} />);
    const replies = caller?.call("Who?");
    await eventually(() => expect(host.textContent).toBe("pending 0/1"));
    flushSync(() =>
      root.render(
        <BonevalueProvider client={network.client("cid")}>
          <pages.caller query="bob" made={made} />
        </BonevalueProvider>,
      ),
    );
    expect(host.textContent).toBe("still 0/0");
    expect(await replies?.all()).toMatchObject([{ error: { code: "cancelled" } }]);
  });
});

describe("Activity", () => {
  test("what is hidden offers nothing, hears nothing and has its call cancelled, until it is shown again", async ({
    skip,
  }) => {
    const { version } = React;
    if (!("Activity" in React)) skip(`React ${version} has none: it came with 19.2`);
    let caller: Made | undefined;
    const made = (now: Made) => {
      caller = now;
    };
    bob.module(Ask, () => new Promise(ignore));
    const tree = (mode: "visible" | "hidden") => (
      <React.Activity mode={mode}>
        <pages.offer answer="ann" heard={ignore} />
        <pages.caller query="bob" made={made} />
        <pages.people query="*" saw={ignore} />
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

/** Shows the message of what its children threw. */
class Boundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {};
  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }
  override render(): ReactNode {
    return this.state.error?.message ?? this.props.children;
  }
}

describe("a mistake reaches the nearest error boundary", () => {
  beforeEach(() => void vi.spyOn(console, "error").mockImplementation(ignore));
  afterEach(() => void vi.restoreAllMocks());

  test("a hook without a provider, with what to do about it", () => {
    const Lost = () => useStatus();
    flushSync(() =>
      root.render(
        <Boundary>
          <Lost />
        </Boundary>,
      ),
    );
    expect(host.textContent).toContain("put a <BonevalueProvider client={client}> around this tree");
  });

  test("a module's name that the app has taken itself", ({ skip }) => {
    const { version } = React;
    if (version.startsWith("18.")) skip("React 18 passes such errors through an event, which happy-dom rethrows");
    const undo = ann.client.module("Taken", ignore);
    const Offer = () => {
      useModule("Taken", ignore);
      return null;
    };
    render(
      <Boundary>
        <Offer />
      </Boundary>,
    );
    expect(host.textContent).toContain("Taken");
    undo();
  });
});

test("a query or an `allow` that is written inline is no reason to register a module again", async () => {
  const Inline = ({ round }: { round: number }) => {
    useModule(Ask, () => `round ${round}`, { allow: { user: "bob" } });
    return null;
  };
  for (const round of [1, 2, 3]) render(<Inline round={round} />);
  expect(ann.offers).toBe(1);
  expect(await askAnn()).toBe("round 3");
});
