export { fileKeyStore } from "./identity/file-key-store.ts";
export type { KeyStore } from "./identity/key-store.ts";
