import type { serverPages } from "virtual:server-pages";
import type { Client } from "../../core/index.ts";
import type { Pages } from "./pages.ts";

/** The same pages, written in one framework. */
export interface Framework {
  readonly name: string;
  /** Whose server rendered the page that it hydrates. */
  readonly serverPage: keyof typeof serverPages;
  /** Shows a page in `host`, or adopts the server's that is there. Effects have run when it returns, unless it hydrates. */
  mount<Name extends keyof Pages>(name: Name, props: Pages[Name], setting: Setting): Mounted<Pages[Name]>;
}

/** Where a page is shown. */
export interface Setting {
  readonly client: Client;
  readonly host: HTMLElement;
  readonly hydrate?: boolean | undefined;
}

/** A page that is shown. */
export interface Mounted<Props> {
  update(props: Props): void;
  unmount(): void;
}
