import { expect, vi } from "vitest";
import type { Client } from "../../core/index.ts";
import { createNetwork, type Network } from "../../core/testing/network.ts";
import { eventually } from "../../tools/eventually.ts";
import type { Framework, Mounted } from "./framework.ts";
import type { Pages } from "./pages.ts";

/** The environment of a behaviour test: two users who trust each other, and a document to mount pages in. */
export interface Fixture {
  readonly framework: Framework;
  readonly network: Network;
  readonly ann: Client;
  readonly bob: Client;
  /** Mounts a page. It is unmounted when the test ends. */
  show<Name extends keyof Pages>(name: Name, props: Pages[Name], options?: ShowOptions): Mounted<Pages[Name]>;
  signIn(...clients: readonly (readonly [client: Client, username: string])[]): Promise<void>;
  bothSignedIn(): Promise<void>;
}

/** Options of `Fixture.show`. */
export interface ShowOptions {
  /** Default: ann's client. */
  readonly client?: Client;
  /** An element with the server-rendered page, to hydrate. Default: a new empty element. */
  readonly host?: HTMLElement;
  /** Whether the provider resumes at mount. */
  readonly resume?: boolean;
}

/** Tests one behaviour. */
export type Behaviour = (fixture: Fixture) => Promise<void>;

/** Behaviour tests by title. */
export type Behaviours = Readonly<Record<string, Behaviour>>;

/** Runs a behaviour test with a new fixture. Fails also when the framework logs a warning or an error. */
export async function withFixture(framework: Framework, behaviour: Behaviour): Promise<void> {
  const warnings: unknown[] = [];
  const record = (...args: unknown[]) => void warnings.push(args);
  const spies = [vi.spyOn(console, "error"), vi.spyOn(console, "warn")].map((spy) => spy.mockImplementation(record));
  const network = createNetwork();
  const [ann, bob] = [network.client("ann"), network.client("bob")];
  const shown = new Set<{ unmount(): void }>();

  function show<Name extends keyof Pages>(
    name: Name,
    props: Pages[Name],
    { client = ann, host, resume }: ShowOptions = {},
  ) {
    const element = document.body.appendChild(host ?? document.createElement("div"));
    const page = framework.mount(name, props, { client, host: element, hydrate: host !== undefined, resume });
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
  expect(warnings).toEqual([]);
}

/** A callback that does nothing. */
export const noop = (): void => {};

/** The text of every element that matches one of the selectors. */
export function texts(...selectors: readonly string[]): readonly (string | null)[] {
  return selectors.flatMap((selector) =>
    [...document.querySelectorAll(selector)].map((element) => element.textContent),
  );
}

/** Waits until {@link texts} equals `expected`. */
export async function waitForTexts(selectors: readonly string[], expected: readonly string[]): Promise<void> {
  await eventually(() => expect(texts(...selectors)).toEqual(expected), { interval: 1 });
}

/** Waits two turns of the event loop, in which frameworks render and run effects. */
export async function nextTurn(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setTimeout(resolve));
}
