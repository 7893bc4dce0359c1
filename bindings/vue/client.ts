import { hasInjectionContext, type InjectionKey, inject, type Plugin } from "vue";
import type { Client } from "../../core/index.ts";

/** What the plugin takes. */
export interface BonevalueOptions {
  /** On a server, one for each request, like the app itself. */
  readonly client: Client;
}

const clientKey: InjectionKey<Client> = Symbol("bonevalue");

/**
 * Gives an app's composables their client. Its connection is the app's to open and to close.
 *
 * @example
 * const client = createClient();
 * createApp(App).use(bonevalue, { client }).mount("#app");
 * client.connect("p2p.example.com", username, password);
 */
export const bonevalue: Plugin<[BonevalueOptions]> = {
  install: (app, { client }) => {
    app.provide(clientKey, client);
  },
};

/** The app's client. Throws without the plugin. Outside components: `app.runWithContext(useClient)`. */
export function useClient(): Client {
  const client = hasInjectionContext() ? inject(clientKey, undefined) : undefined;
  if (client) return client;
  throw new Error(
    "No bonevalue client here: call app.use(bonevalue, { client }), and this in a setup function or in app.runWithContext().",
  );
}
