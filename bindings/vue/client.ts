import { hasInjectionContext, type InjectionKey, inject, type Plugin } from "vue";
import type { Client } from "../../core/index.ts";

/** Options of the {@link bonevalue} plugin. */
export interface BonevalueOptions {
  /** The client of this app. On a server, create one for each request. */
  readonly client: Client;
  /**
   * Whether the plugin resumes the session that the client's `remember` has stored, except on a server. `await client.resume()`
   * resolves to whether the client has resumed. Default false.
   */
  readonly resume?: boolean | undefined;
}

const clientKey: InjectionKey<Client> = Symbol("bonevalue");

/**
 * Provides the client to an app's composables. The app connects and disconnects the client itself.
 *
 * @example
 * const client = createClient();
 * createApp(App).use(bonevalue, { client }).mount("#app");
 * client.connect("p2p.example.com", username, password);
 */
export const bonevalue: Plugin<[BonevalueOptions]> = {
  install: (app, { client, resume }) => {
    app.provide(clientKey, client);
    if (resume && typeof window !== "undefined") client.resume().catch(console.error);
  },
};

/** The app's client. Throws without the plugin. Outside components, use `app.runWithContext(useClient)`. */
export function useClient(): Client {
  const client = hasInjectionContext() ? inject(clientKey, undefined) : undefined;
  if (client) return client;
  throw new Error(
    "No bonevalue client found. Call app.use(bonevalue, { client }), and call this in setup() or in app.runWithContext().",
  );
}
