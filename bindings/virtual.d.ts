declare module "virtual:server-pages" {
  /** The pages as each framework's server rendering produced them. */
  export const serverPages: Readonly<
    Record<"React" | "Vue" | "Svelte", import("./conformance/server-page.ts").ServerPage>
  >;
}
