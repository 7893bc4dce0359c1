declare module "virtual:server-pages" {
  /** What each framework's server made of the pages. */
  export const serverPages: Readonly<
    Record<"React" | "Vue" | "Svelte", import("./conformance/server-page.ts").ServerPage>
  >;
}
