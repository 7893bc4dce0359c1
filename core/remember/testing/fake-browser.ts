import type { RememberScope } from "../remember.ts";

/** The storages and locks of a browser, whose pages a test opens, copies and closes. */
export interface FakeBrowser {
  /** The name and the value of every entry of every storage. */
  stored(): readonly (readonly [name: string, value: string])[];
  /** Opens a page. With `from` it has a copy of that page's sessionStorage, as a duplicated tab. */
  open(from?: FakePage): FakePage;
}

/** A page of a {@link FakeBrowser}. */
export interface FakePage {
  readonly scope: Required<RememberScope>;
  /** The page is unloaded: its locks are released. Returns the page that the browser loads next in this tab. */
  reload(): FakePage;
}

/** Creates a browser without pages. */
export function createFakeBrowser(): FakeBrowser {
  const localStorage = createFakeStorage();
  const storages = new Set([localStorage]);
  const storageOf = new Map<FakePage, FakeStorage>();
  const holders = new Map<string, FakePage>();
  const waiting: { readonly name: string; readonly start: () => void }[] = [];

  function releaseAll(page: FakePage): void {
    for (const [name, holder] of holders) if (holder === page) free(name);
  }

  function free(name: string): void {
    holders.delete(name);
    const next = waiting.findIndex((request) => request.name === name);
    if (next >= 0) waiting.splice(next, 1)[0]!.start();
  }

  function open(sessionStorage: FakeStorage): FakePage {
    storages.add(sessionStorage);
    const locks = {
      request: (name: string, { signal }: LockOptions, run: () => Promise<any>) =>
        new Promise<any>((resolve, reject) => {
          const start = () => {
            holders.set(name, page);
            resolve(run().finally(() => holders.get(name) === page && free(name)));
          };
          const request = { name, start };
          signal?.addEventListener("abort", () => {
            const at = waiting.indexOf(request);
            if (at < 0) return;
            waiting.splice(at, 1);
            reject(signal.reason);
          });
          if (signal?.aborted) reject(signal.reason);
          else if (holders.has(name)) waiting.push(request);
          else start();
        }),
    } as Pick<LockManager, "request">;
    const page: FakePage = {
      scope: { sessionStorage, localStorage, navigator: { locks } },
      reload() {
        releaseAll(page);
        return open(sessionStorage);
      },
    };
    storageOf.set(page, sessionStorage);
    return page;
  }

  return {
    stored: () => [...storages].flatMap(({ entries }) => [...entries]),
    open: (from) => open(createFakeStorage(from && storageOf.get(from))),
  };
}

/** A storage that shows its entries. */
type FakeStorage = Storage & { readonly entries: ReadonlyMap<string, string> };

function createFakeStorage(other?: FakeStorage): FakeStorage {
  const entries = new Map(other?.entries);
  const storage: Pick<FakeStorage, "entries" | "getItem" | "setItem" | "removeItem"> = {
    entries,
    getItem: (name) => entries.get(name) ?? null,
    setItem: (name, value) => void entries.set(name, value),
    removeItem: (name) => void entries.delete(name),
  };
  return storage as FakeStorage;
}
