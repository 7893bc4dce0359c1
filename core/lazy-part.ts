import { BonevalueError } from "./errors.ts";

/** A part of this library that is loaded when it is needed. */
export interface LazyPart<Part = unknown> {
  /** Undefined until it is loaded. */
  readonly loaded: Part | undefined;
  /** Loads it once. Rejects with `link-failed` if it cannot be loaded. The next call tries again. */
  load(): Promise<void>;
}

/** Why something that needs a part fails while it is not loaded, and what to do. */
export const notLoaded = "A script of this page has not loaded. Try again, or reload the page.";

/** Creates a part that `importPart` loads with `import()`. */
export function createLazyPart<Part>(importPart: () => Promise<Part>): LazyPart<Part> {
  let loaded: Part | undefined;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    try {
      loaded = await importPart();
    } catch (cause) {
      loading = undefined;
      throw new BonevalueError("link-failed", notLoaded, { cause });
    }
  }

  return {
    get loaded() {
      return loaded;
    },
    load() {
      loading ??= load();
      return loading;
    },
  };
}
