import { expect, vi } from "vitest";
import type { Client } from "../../core/index.ts";
import { createNetwork, type Network } from "../../core/testing/network.ts";
import { eventually } from "../../tools/eventually.ts";
import type { Framework, Mounted } from "./framework.ts";
import type { Pages } from "./pages.ts";

/** What a behaviour is tried on: two people who trust each other, and a document to show pages in. */
export interface Scene {
  readonly framework: Framework;
  readonly network: Network;
  readonly ann: Client;
  readonly bob: Client;
  /** Shows a page, until the scene is over. */
  show<Name extends keyof Pages>(name: Name, props: Pages[Name], options?: ShowOptions): Mounted<Pages[Name]>;
  signIn(...clients: readonly (readonly [client: Client, username: string])[]): Promise<void>;
  bothSignedIn(): Promise<void>;
}

/** How a page is shown. */
export interface ShowOptions {
  /** Default: ann's. */
  readonly client?: Client;
  /** Holds what a server made of the page, to be taken over. Default: a place of its own, which is empty. */
  readonly host?: HTMLElement;
}

/** Tries one behaviour. */
export type Behaviour = (scene: Scene) => Promise<void>;

/** What every binding does, by the sentence that says so. */
export type Behaviours = Readonly<Record<string, Behaviour>>;

/** Tries a behaviour in a scene of its own. It fails where the framework has warned of something as well. */
export async function inScene(framework: Framework, behaviour: Behaviour): Promise<void> {
  const complaints: unknown[] = [];
  const complain = (...complaint: unknown[]) => void complaints.push(complaint);
  const spies = [vi.spyOn(console, "error"), vi.spyOn(console, "warn")].map((spy) => spy.mockImplementation(complain));
  const network = createNetwork();
  const [ann, bob] = [network.client("ann"), network.client("bob")];
  const shown = new Set<{ unmount(): void }>();

  function show<Name extends keyof Pages>(name: Name, props: Pages[Name], { client = ann, host }: ShowOptions = {}) {
    const place = document.body.appendChild(host ?? document.createElement("div"));
    const page = framework.mount(name, props, { client, host: place, hydrate: host !== undefined });
    shown.add(page);
    const unmount = () => void (shown.delete(page) && page.unmount());
    return { ...page, unmount };
  }

  async function signIn(...clients: readonly (readonly [client: Client, username: string])[]): Promise<void> {
    for (const [client, username] of clients) await client.connect("test", username, "");
  }

  const bothSignedIn = () => signIn([bob, "bob"], [ann, "ann"]);

  try {
    await behaviour({ framework, network, ann, bob, show, signIn, bothSignedIn });
  } finally {
    for (const page of shown) page.unmount();
    document.body.replaceChildren();
    await Promise.all([ann.disconnect(), bob.disconnect()]);
    for (const spy of spies) spy.mockRestore();
  }
  expect(complaints).toEqual([]);
}

/** For callbacks that a behaviour does not look at. */
export const ignore = (): void => {};

/** What the page shows, selector by selector. */
export function texts(...selectors: readonly string[]): readonly (string | null)[] {
  return selectors.flatMap((selector) =>
    [...document.querySelectorAll(selector)].map((element) => element.textContent),
  );
}

/** Resolves once the page shows that. */
export async function becomes(selectors: readonly string[], expected: readonly string[]): Promise<void> {
  await eventually(() => expect(texts(...selectors)).toEqual(expected), { interval: 1 });
}

/** Resolves when the framework has done what was to be done in this turn and the next. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setTimeout(resolve));
}
