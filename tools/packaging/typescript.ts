import { typedBindings, typedClient, typedServer } from "./programs.ts";
import type { Trial } from "./trial.ts";

const strict = { strict: true, skipLibCheck: false, noEmit: true, target: "es2022", types: [] };

/** Strict programs of one version of TypeScript, with `skipLibCheck: false`. `tsc` starts its compiler. */
export function typescriptTrials(version: string, tsc: readonly string[] = ["tsc"]): readonly Trial[] {
  // Later versions call it deprecated, and 7 has removed it.
  const node = { module: "esnext", moduleResolution: "node", ...(version === "6" && { ignoreDeprecations: "6.0" }) };
  const bundler = { module: "esnext", moduleResolution: "bundler" };
  const node16 = { module: "node16", moduleResolution: "node16" };
  const modes = Number.parseInt(version, 10) < 7 ? { bundler, node } : { bundler };

  function trial(name: string, text: string, configs: Record<string, object>, lib: readonly string[]): Trial {
    const projects = Object.entries(configs).map(([key, options]) => {
      const project = { compilerOptions: { ...strict, lib, ...options }, files: ["main.ts"] };
      return [`${key}.json`, JSON.stringify(project)];
    });
    return {
      name: `TypeScript ${version}, ${name}`,
      packages: { typescript: version, "@types/node": "24", "@types/react": "19", react: "19", vue: "3", svelte: "5" },
      files: { "package.json": '{ "type": "module" }', "main.ts": text, ...Object.fromEntries(projects) },
      commands: projects.map(([file]) => [...tsc, "-p", file!]),
    };
  }

  return [
    trial("with DOM", typedClient, modes, ["es2022", "dom"]),
    trial("without DOM", typedClient, { alone: bundler, node: { ...node16, types: ["node"] } }, ["es2022"]),
    trial("bindings", typedBindings, { bundler }, ["es2022", "dom", "dom.iterable"]),
    trial("server", typedServer, { node: { ...node16, types: ["node"] } }, ["es2022"]),
  ];
}
