declare module "virtual:server-pages" {
  /** The people page as each framework's server renders it. */
  export const pages: Readonly<Record<"React" | "Vue" | "Svelte", string>>;
}
