export { createYjsProvider, type YjsProvider, type YjsProviderOptions } from "./provider.ts";
