import type { Server as HttpServer } from "node:http";
import type { Plugin, PreviewServer, ResolvedConfig, ViteDevServer } from "vite";
import { createDevelopmentServer } from "./development.ts";
import type { ServerOptions } from "./options.ts";
import type { BonevalueServer } from "./server.ts";

/** The options of {@link bonevalue}: those of `createServer`, without the HTTP server, which is Vite's. */
export type BonevaluePluginOptions = Omit<ServerOptions, "server" | "host" | "port" | "tls">;

/**
 * A Vite plugin that runs a discovery server inside `vite dev` and `vite preview`. Pages connect with its path, by default
 * `/bonevalue`, as the host. Unless `options` says otherwise, the server keeps its data in memory, has rooms and the accounts of
 * `bonevalue-server dev`, and accepts pages of this machine, and with `--host` also pages at its IP addresses. It warns about other
 * pages, which `origins` has to list. Needs Vite 7.
 *
 * @example
 * export default defineConfig({ plugins: [bonevalue()] });
 * // In the page:
 * await client.connect("/bonevalue", { room: "demo", name: "Ann" });
 */
export function bonevalue(options: BonevaluePluginOptions = {}): Plugin {
  // By configuration, as a restart uses the same plugin and starts the next server before it closes the last one.
  const servers = new WeakMap<ResolvedConfig, BonevalueServer>();
  return {
    name: "bonevalue",
    configureServer(vite) {
      checkVersion(this);
      const { middlewareMode } = vite.config.server;
      const parent = typeof middlewareMode === "object" ? middlewareMode.server : undefined;
      return openServer(vite, vite.httpServer ?? parent, options, servers);
    },
    configurePreviewServer(vite) {
      checkVersion(this);
      return openServer(vite, vite.httpServer, options, servers);
    },
    // Vite closes its environments. In middleware mode the app's HTTP server stays open.
    async closeBundle() {
      await servers.get(this.environment.getTopLevelConfig())?.close();
    },
  };
}

/** Throws on a Vite before 7, which calls the hooks without a context. */
function checkVersion(context: { readonly meta: { readonly viteVersion?: string } } | undefined): void {
  if (context?.meta.viteVersion === undefined)
    throw new Error("bonevalue-server/vite needs Vite 7 or newer: update vite.");
}

/** Attaches a discovery server to Vite's HTTP server, and closes it when that closes. Adds it to `servers`. */
async function openServer(
  vite: ViteDevServer | PreviewServer,
  http: ViteDevServer["httpServer"] | undefined,
  options: BonevaluePluginOptions,
  servers: WeakMap<ResolvedConfig, BonevalueServer>,
): Promise<void> {
  const { logger } = vite.config;
  if (!http) {
    // Vitest reads the app's configuration, and has no pages to serve.
    if (process.env["VITEST"] === undefined) logger.warn(noHttpServer);
    return;
  }
  const { path = "/bonevalue" } = options;
  // Vite listens on other addresses than loopback only with `--host`.
  const server = await createDevelopmentServer({ insecure: true, ...options, path, server: http as HttpServer });
  servers.set(vite.config, server);
  http.once("close", () => void server.close());
  const { printUrls } = vite;
  vite.printUrls = () => {
    printUrls();
    logger.info(`  ➜  Peers:   client.connect("${path}", { room: "demo", name: "Ann" })`);
  };
}

const noHttpServer =
  "bonevalue-server/vite: Vite runs in middleware mode, without an HTTP server, so no discovery server was started. Set `server.middlewareMode` to { server } with the HTTP server of your app.";
