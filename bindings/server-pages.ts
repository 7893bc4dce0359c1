import { svelte } from "@sveltejs/vite-plugin-svelte";
import { createServer, type Plugin } from "vite";

const id = "virtual:server-pages";
const rendering = { React: "react/server-page.tsx", Vue: "vue/server-page.ts", Svelte: "svelte/server-page.ts" };

/** A Vite plugin that renders each framework's pages in Node. Tests import the rendered pages and hydrate them. */
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
  const load = (file: string) => server.ssrLoadModule(`/bindings/${file}`);
  try {
    const { renderAll } = await load("conformance/server-page.ts");
    const pages: Record<string, unknown> = {};
    for (const [name, file] of Object.entries(rendering)) pages[name] = await renderAll((await load(file))["render"]);
    return `export const serverPages = ${JSON.stringify(pages)};`;
  } finally {
    await server.close();
  }
}
