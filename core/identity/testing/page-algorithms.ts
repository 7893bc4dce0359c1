import { build } from "esbuild";
import type { Bytes } from "../../bytes.ts";
import type { Algorithms } from "../algorithms.ts";

const script = `
  import { createPlatformAlgorithms } from "./algorithms.ts";
  import { createFallbackAlgorithms } from "./fallback-algorithms.ts";
  const all = { platform: createPlatformAlgorithms(crypto.subtle), fallback: createFallbackAlgorithms() };
  globalThis.runAlgorithm = async (kind, name, args) => {
    const algorithms = all[kind];
    const [first, ...rest] = args.map((bytes) => Uint8Array.from(bytes));
    const key = name === "publicKey" || name === "sign" ? await algorithms.fromSeed(first) : undefined;
    const result = name === "publicKey" ? key.publicKey : await (key ? key.sign(...rest) : algorithms[name](first, ...rest));
    return typeof result === "boolean" ? result : [...result];
  };`;

/** Builds a page whose algorithms a test uses. It calls them with JSON, so bytes are lists of numbers. */
export async function buildAlgorithmsPage(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: script, resolveDir: `${import.meta.dirname}/..` },
    bundle: true,
    format: "esm",
    write: false,
  });
  return `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<script type="module">${outputFiles[0]!.text}</script>`;
}

/** The algorithms of a page that has {@link buildAlgorithmsPage}: of its platform, or those in JavaScript. */
export function algorithmsOf(
  kind: "platform" | "fallback",
  evaluate: (expression: string) => Promise<unknown>,
): Algorithms {
  const run = (name: string, ...args: readonly Uint8Array[]): Promise<any> =>
    evaluate(`runAlgorithm(...${JSON.stringify([kind, name, args.map((bytes) => [...bytes])])})`);
  const bytes = async (name: string, ...args: readonly Uint8Array[]): Promise<Bytes> =>
    Uint8Array.from(await run(name, ...args));
  return {
    fromSeed: async (seed) => ({
      publicKey: await bytes("publicKey", seed),
      sign: (...parts) => bytes("sign", seed, ...parts),
    }),
    fromCryptoKey() {
      throw new Error("A key cannot leave its page.");
    },
    verify: async (publicKey, signature, message) => run("verify", publicKey, signature, await message),
    hash: (...parts) => bytes("hash", ...parts),
    hmac: (...args) => bytes("hmac", ...args),
  };
}
