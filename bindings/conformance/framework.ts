import type { serverPages } from "virtual:server-pages";
import type { Client } from "../../core/index.ts";
import type { Pages } from "./pages.ts";

/** The test pages in one framework. */
export interface Framework {
  readonly name: string;
  /** The server rendering that this framework hydrates. */
  readonly serverPage: keyof typeof serverPages;
  /** Mounts a page in `host`, or hydrates the server-rendered page there. Runs effects before it returns, unless it hydrates. */
  mount<Name extends keyof Pages>(name: Name, props: Pages[Name], options: MountOptions): Mounted<Pages[Name]>;
}

/** Options of `Framework.mount`. */
export interface MountOptions {
  readonly client: Client;
  readonly host: HTMLElement;
  readonly hydrate?: boolean | undefined;
  /** Whether the provider resumes at mount. */
  readonly resume?: boolean | undefined;
}

/** A mounted page. */
export interface Mounted<Props> {
  update(props: Props): void;
  unmount(): void;
}
