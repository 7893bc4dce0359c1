import { BonevalueError } from "./errors.ts";

/** A part of this library that is loaded when it is needed. */
export interface LazyPart<Part = unknown> {
  /** Undefined until it is loaded. */
  readonly loaded: Part | undefined;
  /** Loads it once, and returns it. Rejects with `link-failed` if it cannot be loaded. The next call tries again. */
  load(): Promise<Part>;
}

/** Why something that needs a part fails while it is not loaded, and what to do. */
export const notLoaded = "A script of this page has not loaded. Try again, or reload the page.";

/** Creates a part that `importPart` loads with `import()`. */
export function createLazyPart<Part>(importPart: () => Promise<Part>): LazyPart<Part> {
  let loaded: Part | undefined;
  let loading: Promise<Part> | undefined;

  async function load(): Promise<Part> {
    try {
      loaded = await importPart();
      return loaded;
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
