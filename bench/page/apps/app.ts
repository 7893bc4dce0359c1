/** What the bench reads of a page that is an app of its own: it loads one library, signs in and makes a call. */
export interface App {
  /** Resolves to the time from the start of the navigation to the first reply, in ms. Never resolves in a page that answers. */
  readonly reply: Promise<number>;
  /** Its peer id. */
  id(): string | undefined;
  /** How many peers it has seen come or go since it was loaded. */
  changes(): number;
}

/** The parameters of the page's address. */
export const parameters: URLSearchParams = new URLSearchParams(location.search);

/** Whether this page answers calls. Otherwise it makes one. */
export const answers: boolean = parameters.has("answer");

declare global {
  var app: App;
}
