import { svelte } from "@sveltejs/vite-plugin-svelte";
import { createServer, type Plugin } from "vite";

const id = "virtual:server-pages";
const rendering = { React: "react/server-page.tsx", Vue: "vue/server-page.ts", Svelte: "svelte/server-page.ts" };

/** Lets specs import `pages`: the people page as each framework's server renders it, in Node, for them to hydrate. */
export function serverPages(): Plugin {
  let rendered: Promise<string> | undefined;
  return {
    name: "server-pages",
    resolveId: (source) => (source === id ? id : null),
    load(source) {
      if (source !== id) return null;
      rendered ??= render();
      return rendered;
    },
  };
}

async function render(): Promise<string> {
  const server = await createServer({
    root: `${import.meta.dirname}/..`,
    configFile: false,
    logLevel: "error",
    plugins: [svelte({ configFile: false })],
    server: { middlewareMode: true, ws: false },
    optimizeDeps: { noDiscovery: true },
  });
  const pages = Object.entries(rendering).map(async ([name, file]) => {
    const { renderPage } = await server.ssrLoadModule(`/bindings/${file}`);
    return [name, await renderPage()];
  });
  try {
    return `export const pages = ${JSON.stringify(Object.fromEntries(await Promise.all(pages)))};`;
  } finally {
    await server.close();
  }
}
