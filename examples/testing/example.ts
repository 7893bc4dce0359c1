import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { launch, type Stage, type Tab } from "../../tools/e2e.ts";
import { takePicture } from "./picture.ts";
import { type Served, serveExamples } from "./served.ts";

/** Real pages of the examples, for the specs of one file. */
export interface Example {
  /** A page signed in as `who`, once the server has let it in; `hash` is the URL's fragment. Closed after its test. */
  open(path: string, who: string, hash?: string): Promise<Tab>;
  /** The page that lists them all. Closed after its test. */
  index(): Promise<Tab>;
  /** As {@link takePicture}. */
  picture(name: string, ...tabs: readonly Tab[]): Promise<void>;
}

/** Serves the examples of `folders`, or all, for a file of specs. After each test no page may have had anything to say on its console. */
export function exampleOf(...folders: readonly string[]): Example {
  let stage: Stage;
  let served: Served;
  const tabs: Tab[] = [];

  beforeAll(async () => {
    [stage, served] = await Promise.all([launch(), serveExamples(...folders)]);
  }, 120_000);
  afterAll(async () => {
    await stage.close();
    expect(await served.close()).toBe(0);
  });
  afterEach(async () => {
    const opened = tabs.splice(0);
    for (const tab of opened) await tab.close();
    expect(opened.flatMap(({ lines }) => lines)).toEqual([]);
  });

  async function show(path: string): Promise<Tab> {
    const tab = await stage.open(served.url + path);
    tabs.push(tab);
    return tab;
  }

  return {
    index: () => show(""),
    async open(path, who, hash = "") {
      const tab = await show(`${path}/?as=${who}${hash}`);
      await tab.page.getByText(`${who}, online`, { exact: true }).waitFor();
      return tab;
    },
    picture: (name, ...shown) => takePicture(stage, name, shown),
  };
}
