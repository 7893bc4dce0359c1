import { clientMain, clientPrints, clientProgram, serverMain, serverPrints } from "./programs.ts";
import type { Trial } from "./trial.ts";

const modules = { "package.json": '{ "type": "module" }', "main.js": clientMain, "server.js": serverMain };

/** Runtimes, and environments of tests. */
export const runtimes: readonly Trial[] = [
  { name: "Bun", packages: { bun: "1" }, files: modules, commands: [["bun", "main.js"]], prints: clientPrints },
  {
    name: "Bun, server",
    packages: { bun: "1" },
    files: modules,
    commands: [["bun", "server.js"]],
    prints: serverPrints,
  },
  {
    name: "Deno",
    packages: { deno: "2" },
    files: modules,
    commands: [["deno", "run", "-A", "--no-prompt", "main.js"]],
    prints: clientPrints,
  },
  {
    name: "Deno, server",
    packages: { deno: "2" },
    files: modules,
    commands: [["deno", "run", "-A", "--no-prompt", "server.js"]],
    prints: serverPrints,
  },
  {
    name: "jsdom",
    packages: { jsdom: "*" },
    files: {
      "package.json": '{ "type": "module" }',
      "talk.js": clientProgram,
      // The page's globals come first, as in a test runner's jsdom environment.
      "main.js": `
        import { JSDOM } from "jsdom";
        const { window } = new JSDOM("", { url: "http://localhost/" });
        const names = ["AbortController", "AbortSignal", "Blob", "Event", "EventTarget", "File", "WebSocket", "navigator"];
        for (const name of names) Object.defineProperty(globalThis, name, { value: window[name], configurable: true });
        Object.assign(globalThis, { window, document: window.document });
        const { talk } = await import("./talk.js");
        console.log(await talk());
        process.exit();`,
    },
    commands: [["node", "main.js"]],
    prints: clientPrints,
  },
  ...["node", "jsdom"].map(
    (environment): Trial => ({
      name: `Jest, ${environment}`,
      packages: { jest: "30", [`jest-environment-${environment}`]: "30" },
      files: {
        "package.json": '{ "type": "module" }',
        "jest.config.json": JSON.stringify({
          testEnvironment: environment,
          transform: {},
          setupFiles: environment === "jsdom" ? ["./jest.setup.js"] : [],
        }),
        // As docs/recipes/testing.md shows it.
        "jest.setup.js": `
          import { ReadableStream } from "node:stream/web";
          import { TextDecoder, TextEncoder } from "node:util";
          Object.assign(globalThis, { ReadableStream, TextDecoder, TextEncoder });`,
        "talk.js": clientProgram,
        "talk.test.js": `
        import { talk } from "./talk.js";
        test("talks", async () => expect(await talk()).toBe("${clientPrints}"));`,
      },
      commands: [["node", "--experimental-vm-modules", "node_modules/jest/bin/jest.js", "--forceExit"]],
      prints: "1 passed",
    }),
  ),
  {
    name: "Vitest, jsdom",
    packages: { vitest: "5", jsdom: "*" },
    files: {
      "package.json": '{ "type": "module" }',
      "talk.js": clientProgram,
      "talk.test.js": `
        import { expect, test } from "vitest";
        import { talk } from "./talk.js";
        test("talks", async () => expect(await talk()).toBe("${clientPrints}"));`,
    },
    commands: [["vitest", "run", "--environment", "jsdom"]],
    prints: "1 passed",
  },
];
